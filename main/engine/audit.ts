// What the audit flags say: the policy, and where events go. As upstream, one without the other records nothing.
import { parse as parseYaml } from 'yaml'
import type { Clock } from '../../common/machinery/clock.ts'
import type { Logger } from '../../common/machinery/logger.ts'
import { type AuditLog, openAuditLog } from '../apiserver/audit/log-file.ts'
import { policyProblems, type Policy } from '../apiserver/audit/policy.ts'
import { openAuditWebhook } from '../apiserver/audit/webhook.ts'
import { readKubeconfigEndpoint } from './access/kubeconfig-endpoint.ts'
import { CodedError } from './coded-error.ts'
import { badFile, messageOf, readFlagFile } from './flag-files.ts'
import type { EngineOptions } from './options.ts'

type AuditOptions = NonNullable<EngineOptions['audit']>

interface Context {
  readonly logger: Logger
  readonly clock: Clock
}

export async function openAudit(
  { audit }: EngineOptions,
  context: Context,
): Promise<{ readonly policy: Policy; readonly log: AuditLog } | undefined> {
  if (audit === undefined) return undefined
  const policy = audit.policyFile === undefined ? undefined : await readPolicy(audit.policyFile)
  const hasPlace = audit.logPath !== undefined || audit.webhook?.configFile !== undefined
  if (policy === undefined || !hasPlace) {
    const missing = policy === undefined ? '--audit-policy-file' : '--audit-log-path or --audit-webhook-config-file'
    context.logger.warn('no audit events are recorded', { missing })
    return undefined
  }
  const logs: AuditLog[] = []
  if (audit.logPath !== undefined) logs.push(openFile(audit.logPath, audit, context))
  if (audit.webhook?.configFile !== undefined)
    logs.push(await openWebhook(audit.webhook.configFile, audit.webhook, context))
  return {
    policy,
    log: {
      sink: (line) => {
        for (const log of logs) log.sink(line)
      },
      close: async () => {
        await Promise.all(logs.map((log) => log.close()))
      },
    },
  }
}

async function readPolicy(file: string): Promise<Policy> {
  const flag = 'audit-policy-file'
  let policy: unknown
  try {
    policy = parseYaml(await readFlagFile(flag, file))
  } catch (error) {
    if (error instanceof CodedError) throw error
    throw badFile(flag, file, `is not YAML: ${messageOf(error)}`, 'Give an audit.k8s.io/v1 Policy.', error)
  }
  const problems = policyProblems(policy)
  if (problems.length > 0)
    throw badFile(flag, file, `is no audit policy: ${problems.join('; ')}`, 'Give an audit.k8s.io/v1 Policy.')
  return policy as Policy
}

function openFile(
  path: string,
  { maxAgeDays, maxBackups, maxSizeMiB }: AuditOptions,
  { logger, clock }: Context,
): AuditLog {
  try {
    return openAuditLog({
      path,
      now: () => clock.now(),
      logger,
      ...(maxAgeDays === undefined ? {} : { maxAgeDays }),
      ...(maxBackups === undefined ? {} : { maxBackups }),
      ...(maxSizeMiB === undefined || maxSizeMiB === 0 ? {} : { maxSizeMiB }),
    })
  } catch (error) {
    throw badFile('audit-log-path', path, `cannot be written: ${messageOf(error)}`, 'Choose another place.', error)
  }
}

async function openWebhook(
  file: string,
  { batchSize, maxWaitMs, bufferSize }: NonNullable<AuditOptions['webhook']>,
  context: Context,
): Promise<AuditLog> {
  try {
    return openAuditWebhook({
      ...context,
      endpoint: await readKubeconfigEndpoint(file),
      ...(batchSize === undefined ? {} : { batchSize }),
      ...(maxWaitMs === undefined ? {} : { maxWaitMs }),
      ...(bufferSize === undefined ? {} : { bufferSize }),
    })
  } catch (error) {
    throw badFile('audit-webhook-config-file', file, messageOf(error), 'Give a kubeconfig file of the server.', error)
  }
}
