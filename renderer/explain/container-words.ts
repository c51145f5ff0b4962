// What a container state means and what to do about it, in plain words for someone who has never seen it.
import type { ContainerState, ContainerStatus } from '../../common/api/generated/types.ts'
import type { Tone } from './tone.ts'

export interface Explanation {
  tone: Tone
  /** What is the case, one sentence. */
  what: string
  /** What to do about it; absent when there is nothing to do. */
  remedy?: string
}

/** What the explanation may look at besides the status itself. */
export interface ContainerContext {
  image: string
  /** Architecture of the pod's node, when known. */
  nodeArch?: string
  nodeName?: string
  /** Architectures the lab has the image for; undefined when the lab does not know the image. */
  imageArchitectures?: readonly string[]
  memoryLimit?: string
}

export function explainContainer(status: ContainerStatus, context: ContainerContext): Explanation {
  const { state, lastState } = status
  if (state?.running !== undefined) return explainRunning(status)
  if (state?.terminated !== undefined) return explainTerminated(state.terminated, context)
  const reason = state?.waiting?.reason ?? ''
  const message = state?.waiting?.message ?? ''
  switch (reason) {
    case 'CrashLoopBackOff':
      return explainCrashLoop(status, lastState, context)
    case 'ErrImagePull':
    case 'ImagePullBackOff':
      return explainPull(reason, message, context)
    case 'ErrImageNeverPull':
      return {
        tone: 'bad',
        what: `The image ${context.image} is not on the node, and imagePullPolicy Never forbids fetching it.`,
        remedy: 'Set imagePullPolicy to IfNotPresent, or import the image into the lab.',
      }
    case 'InvalidImageName':
      return {
        tone: 'bad',
        what: `"${context.image}" is not a valid image reference.`,
        remedy: 'Write it as name:tag, for example docker.io/library/hello:1.0, in lower case and without spaces.',
      }
    case 'CreateContainerConfigError':
      return {
        tone: 'bad',
        what: `Something the container refers to is missing${message === '' ? '' : `: ${message}`}.`,
        remedy: 'Create the ConfigMap, Secret or key that is named; the container starts by itself once it exists.',
      }
    case 'CreateContainerError':
    case 'RunContainerError':
      return explainStartFailure(message, context)
    case 'ContainerCreating':
      return {
        tone: 'busy',
        what: `The node is preparing the container: network, volumes, then the image ${context.image}.`,
      }
    case 'PodInitializing':
      return { tone: 'busy', what: 'Waiting for the init containers, which run first and one after another.' }
    case '':
      return { tone: 'busy', what: 'The node has not reported on this container yet.' }
    default:
      return { tone: 'busy', what: message === '' ? `Waiting: ${reason}.` : `Waiting: ${reason}. ${message}` }
  }
}

function explainRunning(status: ContainerStatus): Explanation {
  if (status.ready) {
    return status.restartCount === 0
      ? { tone: 'ok', what: 'Running and ready.' }
      : { tone: 'ok', what: `Running and ready. It was restarted ${times(status.restartCount)} before.` }
  }
  if (status.started === false) {
    return { tone: 'busy', what: 'Running; its startup probe has not succeeded yet, so the other probes wait.' }
  }
  return {
    tone: 'busy',
    what: 'Running, but its readiness probe has not succeeded, so Services do not send it traffic.',
    remedy: 'Look at the events for the last probe answer, and at the logs for what the program is waiting for.',
  }
}

type Terminated = NonNullable<ContainerState['terminated']>

export function explainTerminated(end: Terminated, context: ContainerContext): Explanation {
  const message = end.message ?? ''
  if (end.reason === 'OOMKilled') {
    const limit = context.memoryLimit === undefined ? 'its memory limit' : `its memory limit of ${context.memoryLimit}`
    return {
      tone: 'bad',
      what: `The kernel killed it because it used more than ${limit}.`,
      remedy: 'Raise resources.limits.memory, or make the program use less.',
    }
  }
  if (/exec format error/i.test(message)) return wrongArchitecture(context)
  if (end.reason === 'StartError' || end.reason === 'ContainerCannotRun') return explainStartFailure(message, context)
  if (end.exitCode === 0) return { tone: 'done', what: 'It ran to its end and reported success (exit code 0).' }
  return { tone: 'bad', ...exitCodeWords(end) }
}

function exitCodeWords(end: Terminated): { what: string; remedy?: string } {
  const code = end.exitCode
  if (code === 137) {
    return {
      what: 'It was killed with SIGKILL (exit code 137): it did not stop within its grace period, or was killed from outside.',
      remedy: 'If this happens at shutdown, make the program handle SIGTERM.',
    }
  }
  if (code === 143) return { what: 'It was asked to stop with SIGTERM and did (exit code 143).' }
  if (code === 139)
    return {
      what: 'The program crashed: it touched memory that is not its own (SIGSEGV, exit code 139).',
      remedy: 'Read the logs of the previous run.',
    }
  if (code === 127)
    return {
      what: 'The command was not found in the image (exit code 127).',
      remedy: 'Check command and args against what the image contains.',
    }
  if (code === 126)
    return {
      what: 'The command was found but may not be executed (exit code 126).',
      remedy: 'Check the file mode and that it is a program for this architecture.',
    }
  return {
    what: `The program ended with exit code ${String(code)}, which it means as a failure.`,
    remedy: 'The logs of the previous run usually say why.',
  }
}

function explainCrashLoop(
  status: ContainerStatus,
  last: ContainerState | undefined,
  context: ContainerContext,
): Explanation {
  const before = `It has ended ${times(status.restartCount + 1)}; the node waits longer before each new try (10 s doubling up to 5 min).`
  if (last?.terminated === undefined) return { tone: 'bad', what: before, remedy: 'Open the logs of the previous run.' }
  const end = explainTerminated(last.terminated, context)
  if (last.terminated.exitCode === 0) {
    return {
      tone: 'bad',
      what: `${before} Each run ended by itself with success, but this pod is meant to keep running.`,
      remedy: 'If the work is done when the program ends, use a Job; otherwise start a program that stays.',
    }
  }
  return { tone: 'bad', what: `${end.what} ${before}`, remedy: end.remedy ?? 'Open the logs of the previous run.' }
}

function explainStartFailure(message: string, context: ContainerContext): Explanation {
  if (/exec format error/i.test(message)) return wrongArchitecture(context)
  const missing = /exec(?:utable file)? [`"']?([^`"':]+)[`"']?[^]*?(?:not found|no such file)/i.exec(message)
  if (missing !== null) {
    return {
      tone: 'bad',
      what: `The command "${(missing[1] ?? '').trim()}" does not exist in the image.`,
      remedy: 'Check command and args; leave them out to use what the image starts by default.',
    }
  }
  return {
    tone: 'bad',
    what: `The runtime could not start it${message === '' ? '' : `: ${message}`}.`,
    remedy: 'Check command, volumes and security settings.',
  }
}

function wrongArchitecture(context: ContainerContext): Explanation {
  const { nodeArch, nodeName, imageArchitectures } = context
  const node = nodeName === undefined ? 'the node' : `the node ${nodeName}`
  const have = imageArchitectures ?? []
  const image =
    have.length === 0 ? 'This image is built for another architecture' : `This image is ${have.join(' and ')}-only`
  return {
    tone: 'bad',
    what: `${image}, and ${node} is ${nodeArch ?? 'of a different one'}: its processor cannot run the program ("exec format error").`,
    remedy:
      have.length === 0
        ? `Import the image for ${nodeArch ?? 'this architecture'} too, or set nodeSelector kubernetes.io/arch to the one it is built for.`
        : `Set nodeSelector kubernetes.io/arch: ${have[0] ?? ''}, or import the image for ${nodeArch ?? 'this architecture'} too.`,
  }
}

function explainPull(reason: string, message: string, context: ContainerContext): Explanation {
  const again = reason === 'ImagePullBackOff' ? ' The node tries again after a while, each time waiting longer.' : ''
  if (/no match for platform|does not match the specified platform|no matching manifest/i.test(message)) {
    const have = context.imageArchitectures ?? []
    return {
      tone: 'bad',
      what: `${context.image} exists, but not for ${context.nodeArch ?? "this node's architecture"}${have.length > 0 ? ` (only ${have.join(', ')})` : ''}.`,
      remedy:
        have.length > 0
          ? `Set nodeSelector kubernetes.io/arch: ${have[0] ?? ''}, or import the missing architecture.`
          : 'Import an archive that has this architecture.',
    }
  }
  if (/not found|manifest unknown|no such image|does not exist|404/i.test(message)) {
    return {
      tone: 'bad',
      what: `The lab has no image ${context.image}.${again}`,
      remedy: 'Check name and tag on the Images page, or import it there; the pod starts by itself once it is there.',
    }
  }
  if (/unauthorized|denied|401|403/i.test(message)) {
    return {
      tone: 'bad',
      what: `The registry of ${context.image} asks for credentials.${again}`,
      remedy: 'Add an imagePullSecret, or import the image into the lab.',
    }
  }
  if (/i\/o timeout|no such host|connection refused|dial tcp/i.test(message)) {
    return {
      tone: 'bad',
      what: `The node could not reach a registry for ${context.image}.${again}`,
      remedy: 'Labs are offline unless spec.network.internet is true: import the image into the lab.',
    }
  }
  return {
    tone: 'bad',
    what: `The image ${context.image} could not be fetched${message === '' ? '' : `: ${message}`}.${again}`,
  }
}

const times = (count: number): string => (count === 1 ? 'once' : count === 2 ? 'twice' : `${String(count)} times`)
