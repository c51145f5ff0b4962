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
  /**
   * Frequency in kHz of the time stamp counter that an emulated x86 guest sees, where it is known for sure. The guest's own
   * calibration goes wrong when the host is busy: on a crowded one its clock was seen to run four times too fast.
   */
  emulatedTscKhz(): Promise<number | undefined>
  /** Folders besides PATH where QEMU is usually installed. */
  readonly qemuFolders: readonly string[]
  /** How to install QEMU here, for a person. */
  readonly installHint: string
}

/** On arm64 hosts QEMU has no counter to pass on and counts nanoseconds instead (cpu_get_host_ticks in its include/qemu/timer.h). */
export const armHostTscKhz = 1_000_000
