// Flags of kube-apiserver that promise protection which is not built here. To take them and do nothing would leave open what the
// operator believes closed: the engine does not start with them. Values that ask for nothing are taken.
import { CodedError } from '../coded-error.ts'
import { type EngineFlag, flag, parseBoolean, parseOneOf } from './flag.ts'

const refused = (name: string, text: string, why: string, hint: string): CodedError =>
  new CodedError('BadArgument', `--${name}=${text} is not supported: ${why}`, hint)

/** A file or address that must not be named. */
const absent = (name: string, argument: string, why: string, hint: string): EngineFlag =>
  flag(name, argument, `not supported: ${why}`, (_options, text) => {
    if (text !== '') throw refused(name, text, why, hint)
  })

const auditModes = ['batch', 'blocking', 'blocking-strict'] as const

const auditMode = (name: string, supported: readonly (typeof auditModes)[number][], why: string): EngineFlag =>
  flag(name, 'mode', `${supported.join(' or ')}; others are not supported: ${why}`, (_options, text) => {
    const mode = parseOneOf(name, text, auditModes)
    if (!supported.includes(mode)) throw refused(name, text, why, `Leave it out, or write --${name}=batch.`)
  })

export const refusedFlags: readonly EngineFlag[] = [
  absent(
    'encryption-provider-config',
    'file',
    'Secrets are stored as they are',
    'Leave it out, and keep the home folder or the etcd server on an encrypted disk.',
  ),
  absent(
    'egress-selector-config-file',
    'file',
    'connections to nodes, webhooks and extension servers go straight to them',
    'Leave it out.',
  ),
  absent(
    'service-account-signing-endpoint',
    'socket',
    'tokens are signed with keys of files',
    'Leave it out, and use --service-account-signing-key-file.',
  ),
  auditMode('audit-log-mode', ['batch', 'blocking'], 'requests are not refused when their record cannot be written'),
  auditMode('audit-webhook-mode', ['batch'], 'requests do not wait until their record has been sent'),
  flag(
    'allow-privileged',
    'bool',
    'privileged containers are always allowed; false is not supported',
    (_options, text) => {
      if (parseBoolean('allow-privileged', text)) return
      throw refused(
        'allow-privileged',
        text,
        'privileged containers are always allowed',
        'Leave it out, and enforce the "baseline" Pod Security Standard in namespaces instead.',
      )
    },
  ),
]
