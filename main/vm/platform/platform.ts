// What differs between operating systems below the VM driver. One implementation per system, chosen in index.ts.
export interface ProcessUsage {
  readonly rssBytes: number
  /** CPU time used since the process started, user and system. */
  readonly cpuMs: number
}

export interface Platform {
  /** The accelerator this system offers besides TCG. */
  readonly accelerator: 'kvm' | 'hvf' | 'whpx'
  /** Opaque text that differs between two processes which had the same pid at different times; undefined when no such process runs. */
  processStartTime(pid: number): Promise<string | undefined>
  processUsage(pid: number): Promise<ProcessUsage | undefined>
  /** Changes when the host is started again. */
  hostBootId(): Promise<string>
  /** Undefined when the accelerator device can be opened, else why not and what to do, for a person. */
  acceleratorProblem(): Promise<string | undefined>
  /** Folders besides PATH where QEMU is usually installed. */
  readonly qemuFolders: readonly string[]
  /** How to install QEMU here, for a person. */
  readonly installHint: string
}
