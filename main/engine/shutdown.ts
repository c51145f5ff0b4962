// labs/shutdown: asks the engine to stop, with or without its machines. The answer is sent before it goes.
import { labGroup } from '../../common/api/lab/v1alpha1.ts'
import { badRequest } from '../../common/machinery/status.ts'
import type { ConnectSubresource } from '../apiserver/apiserver.ts'
import { readJson, sendJson } from './json-body.ts'

export interface StopOptions {
  /** "keep" leaves the VMs running for the next engine to adopt. */
  machines: 'stop' | 'keep'
}

export function shutdownSubresource(onStop: (options: StopOptions) => void): ConnectSubresource {
  return {
    group: labGroup,
    plural: 'labs',
    subresource: 'shutdown',
    methods: ['POST'],
    async onRequest(_request, req, res) {
      const { machines = 'stop' } = ((await readJson(req)) ?? {}) as Partial<StopOptions>
      if (machines !== 'stop' && machines !== 'keep') throw badRequest('machines: must be "stop" or "keep"')
      sendJson(res, 202, { stopping: true, machines })
      onStop({ machines })
    },
  }
}
