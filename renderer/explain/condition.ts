/** What conditions of all kinds have in common. */
export interface ShownCondition {
  type: string
  status: string
  reason?: string
  message?: string
  lastTransitionTime?: string
}
