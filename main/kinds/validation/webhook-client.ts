// Where a webhook is reached: by URL or as a Service of the cluster.
import { invalidValue, required, type FieldError } from '../../../common/machinery/field-error.ts'
import { isDnsSubdomain } from './names.ts'

export interface WebhookClient {
  readonly url?: string
  readonly service?: {
    readonly name?: string
    readonly namespace?: string
    readonly path?: string
    readonly port?: number
  }
}

export function checkWebhookClient(errors: FieldError[], path: string, { url, service }: WebhookClient): void {
  if ((url === undefined) === (service === undefined)) {
    errors.push(required(path, 'exactly one of url or service is required'))
  } else if (url !== undefined) checkUrl(errors, `${path}.url`, url)
  else if (service !== undefined) checkService(errors, `${path}.service`, service)
}

const form = '; desired format: https://host[/path]'

function checkUrl(errors: FieldError[], path: string, text: string): void {
  const parts =
    /^(?:([a-zA-Z][a-zA-Z0-9+.-]*):)?(?:\/\/(?:([^@/?#]*)@)?([^/?#]*))?[^?#]*(?:\?([^#]*))?(?:#(.*))?$/s.exec(text)
  if (parts === null || /[\s\u0000-\u001f\u007f]/.test(text)) {
    errors.push(required(path, `url must be a valid URL: parse ${JSON.stringify(text)}: invalid character${form}`))
    return
  }
  const [, scheme = '', user, host = '', query = '', fragment = ''] = parts
  if (scheme.toLowerCase() !== 'https')
    errors.push(invalidValue(path, scheme, `'https' is the only allowed URL scheme${form}`))
  if (host === '') errors.push(invalidValue(path, host, `host must be specified${form}`))
  if (user !== undefined) errors.push(invalidValue(path, user, 'user information is not permitted in the URL'))
  if (fragment !== '') errors.push(invalidValue(path, fragment, 'fragments are not permitted in the URL'))
  if (query !== '') errors.push(invalidValue(path, query, 'query parameters are not permitted in the URL'))
}

function checkService(errors: FieldError[], path: string, service: NonNullable<WebhookClient['service']>): void {
  const { name = '', namespace = '', path: urlPath = '', port = 443 } = service
  if (name === '') errors.push(required(`${path}.name`))
  if (namespace === '') errors.push(required(`${path}.namespace`))
  if (port < 1 || port > 65_535) {
    errors.push(invalidValue(`${path}.port`, port, 'port is not valid: must be between 1 and 65535, inclusive'))
  }
  if (urlPath !== '' && urlPath !== '/') checkPath(errors, `${path}.path`, urlPath)
}

/** Every segment must be a DNS subdomain. */
function checkPath(errors: FieldError[], path: string, value: string): void {
  const refuse = (detail: string): void => {
    errors.push(invalidValue(path, value, detail))
  }
  if (value === '//') {
    refuse('segment[0] may not be empty')
    return
  }
  if (!value.startsWith('/')) refuse("must start with a '/'")
  const steps = value.slice(1).replace(/\/$/, '').split('/')
  for (const [index, step] of steps.entries()) {
    if (step === '') refuse(`segment[${String(index)}] may not be empty`)
    else for (const problem of isDnsSubdomain(step)) refuse(`segment[${String(index)}]: ${problem}`)
  }
}
