// labs/signin: a new one-time link into the window, for whoever may already speak to the API.
import { labGroup } from '../../../common/api/lab/v1alpha1.ts'
import type { ConnectSubresource } from '../../apiserver/apiserver.ts'
import { sendJson } from '../json-body.ts'
import type { WindowSessions } from './sessions.ts'

export function signInSubresource(sessions: WindowSessions, server: () => string): ConnectSubresource {
  return {
    group: labGroup,
    plural: 'labs',
    subresource: 'signin',
    methods: ['POST'],
    onRequest(_request, _req, res) {
      sendJson(res, 201, { url: `${server()}/sign-in?token=${sessions.issueToken()}` })
      return Promise.resolve()
    },
  }
}
