// Which admission plugins run.

/** As the flags --enable-admission-plugins and --disable-admission-plugins give it: plugins besides, and without, the default ones. */
export interface AdmissionSelection {
  readonly enable?: readonly string[]
  readonly disable?: readonly string[]
}
