import { forbidden, type StatusError } from '../../../../common/machinery/status.ts'
import type { AdmissionAttributes } from '../admission.ts'

/** What one resource lets a node write. Throws StatusError to refuse. */
export type Restriction = (attributes: AdmissionAttributes, node: string) => void

export const refuse = ({ resourceName, name }: AdmissionAttributes, why: string): StatusError =>
  forbidden(resourceName, name, why)

export const quoted = (text: string): string => JSON.stringify(text)
