// pods/log: the container's log from its node, with upstream's words for containers that have none yet.
import type { ContainerStatus, Pod } from '../../../common/api/generated/types.ts'
import { agentPaths } from '../../../common/channel/agent-api.ts'
import { type FieldError, forbiddenField, invalidValue } from '../../../common/machinery/field-error.ts'
import { badRequest, invalid } from '../../../common/machinery/status.ts'
import type { NodeConnections } from '../../channel/node-connections.ts'
import { endWith, writeHead } from '../chain/respond.ts'
import { booleanParameter } from '../routes/list-parameters.ts'
import type { Connect, HttpConnectCall } from './connect-table.ts'
import { findContainer, requireSuccess } from './remote-command.ts'
import { writeDrained } from './write-drained.ts'

const passed = ['follow', 'tailLines', 'previous', 'timestamps', 'sinceSeconds', 'sinceTime', 'limitBytes'] as const

export function podLog(nodes: NodeConnections): Connect {
  return {
    info: { name: 'log', group: '', version: 'v1', kind: 'Pod', verbs: ['get'] },
    serve: (call) => serveLog(nodes, call),
  }
}

async function serveLog(nodes: NodeConnections, call: HttpConnectCall): Promise<void> {
  const { info, query, res } = call
  checkOptions(query, info.name)
  const { pod, node, container } = findContainer(call)
  if (node === '') {
    // No node yet, so no log yet: an empty answer, not an error.
    writeHead(res, 200, { 'content-type': 'text/plain', 'cache-control': 'no-cache, private' })
    endWith(res, '')
    return
  }
  requireStarted(pod, container, booleanParameter(query, 'previous'))
  const cancel = new AbortController()
  res.on('close', () => {
    cancel.abort()
  })
  const response = await nodes.request(node, {
    method: 'GET',
    path: `${agentPaths.containerLogs}/${encodeURIComponent(info.namespace)}/${encodeURIComponent(info.name)}/${encodeURIComponent(container)}`,
    query: Object.fromEntries(passed.filter((name) => query.has(name)).map((name) => [name, query.get(name) ?? ''])),
    signal: cancel.signal,
  })
  await requireSuccess(response)
  writeHead(res, 200, { 'content-type': 'text/plain', 'cache-control': 'no-cache, private' })
  if ('flushHeaders' in res) res.flushHeaders()
  try {
    for await (const chunk of response.stream as AsyncIterable<Buffer>) await writeDrained(res, chunk)
    endWith(res, '')
  } catch {
    // The node or the client is gone in the middle: a cut-off answer must not look complete.
    response.stream.destroy()
    res.destroy()
  }
}

function checkOptions(query: URLSearchParams, pod: string): void {
  const errors: FieldError[] = []
  for (const [name, least] of [
    ['tailLines', 0],
    ['sinceSeconds', 1],
    ['limitBytes', 1],
  ] as const) {
    const text = query.get(name) ?? ''
    if (text === '') continue
    if (!/^[+-]?\d{1,15}$/.test(text))
      throw badRequest(`unable to parse ${name}: strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`)
    if (Number(text) < least)
      errors.push(
        invalidValue(name, Number(text), least === 0 ? 'must be greater than or equal to 0' : 'must be greater than 0'),
      )
  }
  if (query.has('sinceSeconds') && query.has('sinceTime'))
    errors.push(forbiddenField('', 'at most one of `sinceTime` or `sinceSeconds` may be specified'))
  if (errors.length > 0) throw invalid({ group: '', kind: 'PodLogOptions' }, pod, errors)
}

/** Throws 400 while the container has not run yet, as the kubelet answers. */
function requireStarted({ metadata, status }: Pod, container: string, previous: boolean): void {
  const statuses: ContainerStatus[] = [
    ...(status?.containerStatuses ?? []),
    ...(status?.initContainerStatuses ?? []),
    ...(status?.ephemeralContainerStatuses ?? []),
  ]
  const found = statuses.find(({ name }) => name === container)
  const quoted = `container ${JSON.stringify(container)} in pod ${JSON.stringify(metadata?.name ?? '')}`
  if (previous) {
    if (found?.lastState?.terminated === undefined) throw badRequest(`previous terminated ${quoted} not found`)
    return
  }
  const waiting = found?.state?.waiting
  if (waiting === undefined || found?.lastState?.terminated !== undefined) {
    if (found === undefined && status?.phase === 'Pending')
      throw badRequest(`${quoted} is waiting to start: ContainerCreating`)
    return
  }
  const { reason = '' } = waiting
  const pulling = reason === 'ErrImagePull' || reason === 'ImagePullBackOff'
  throw badRequest(
    `${quoted} is waiting to start: ${pulling ? 'trying and failing to pull image' : reason === '' ? 'no reason given' : reason}`,
  )
}
