// format.<name>().validate(text): the named formats of the Kubernetes library, with the errors validation itself would give.
import {
  validateDns1035Label,
  validateDnsLabel,
  validateDnsSubdomain,
  validateLabelValue,
  validateQualifiedName,
} from '../../../../common/machinery/names.ts'
import { CelError, none, Opaque, Optional, parseTimestamp } from '../values.ts'
import { declare, type Overload, traversal } from './declare.ts'

type Rule = (value: string) => string[]

/** Names that end in a dash are prefixes that something will be added to. */
const prefixed =
  (rule: Rule): Rule =>
  (value) =>
    rule(value.replace(/-$/, 'a'))

const matching =
  (form: RegExp, message: string): Rule =>
  (value) =>
    form.test(value) ? [] : [message]

const rules: Readonly<Record<string, Rule>> = {
  dns1123Label: validateDnsLabel,
  dns1123Subdomain: validateDnsSubdomain,
  dns1035Label: validateDns1035Label,
  dns1123LabelPrefix: prefixed(validateDnsLabel),
  dns1123SubdomainPrefix: prefixed(validateDnsSubdomain),
  dns1035LabelPrefix: prefixed(validateDns1035Label),
  qualifiedName: validateQualifiedName,
  labelValue: validateLabelValue,
  uri: (value) =>
    /^(?:[A-Za-z][A-Za-z0-9+.-]*:|\/)\S*$/.test(value)
      ? []
      : [`parse ${JSON.stringify(value)}: invalid URI for request`],
  uuid: matching(/^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i, 'does not match the UUID format'),
  byte: matching(/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/, 'invalid base64'),
  date: (value) => (/^\d{4}-\d\d-\d\d$/.test(value) && parseTimestamp(value) !== undefined ? [] : ['invalid date']),
  datetime: (value) => (value.length > 10 && parseTimestamp(value) !== undefined ? [] : ['invalid datetime']),
}

type Format = Opaque<Rule>
const formatOf = (name: string): Format => {
  const rule = Object.hasOwn(rules, name) ? rules[name] : undefined
  if (rule === undefined) throw new CelError(`no such format: ${name}`)
  return new Opaque('kubernetes.NamedFormat', rule, name)
}

function validate(format: Format, value: string): Optional {
  const problems = format.value(value)
  return problems.length === 0 ? none : new Optional(problems)
}

export const formats: readonly Overload[] = [
  ...Object.keys(rules).map((name) => declare(`::format.${name}(): kubernetes.NamedFormat`, () => formatOf(name))),
  declare('::format.named(string): optional<kubernetes.NamedFormat>', (name: string) =>
    Object.hasOwn(rules, name) ? new Optional(formatOf(name)) : none,
  ),
  declare('kubernetes.NamedFormat.validate(string): optional<list<string>>', validate, (_: Format, text: string) =>
    traversal(text),
  ),
]
