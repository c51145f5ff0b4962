import { describe, expect, it } from 'vitest'
import { runKindContract } from '../kind-contract.ts'
import { createObject, updateObject } from '../testing/lifecycle.ts'
import { mutatingAdmissionPolicy } from './mutating-admission-policy.ts'
import { mutatingAdmissionPolicyBinding, validatingAdmissionPolicyBinding } from './policy-bindings.ts'
import { validatingAdmissionPolicy } from './validating-admission-policy.ts'
import { mutatingWebhookConfiguration, validatingWebhookConfiguration } from './webhook-configurations.ts'

const rule = { operations: ['CREATE'], apiGroups: [''], apiVersions: ['v1'], resources: ['pods'] }
const webhook = {
  name: 'pods.example.com',
  clientConfig: { service: { namespace: 'default', name: 'hook', path: '/check' } },
  rules: [rule],
  sideEffects: 'None',
  admissionReviewVersions: ['v1'],
  matchConditions: [{ name: 'not-kube-system', expression: 'object.metadata.namespace != "kube-system"' }],
}
const match = { resourceRules: [{ ...rule, resourceNames: ['web'] }] }
const validation = { expression: 'object.spec.replicas < 5', message: 'too many', reason: 'Invalid' }
const policy = {
  matchConstraints: match,
  paramKind: { apiVersion: 'rules.example.com/v1', kind: 'Limit' },
  variables: [{ name: 'foo', expression: '1' }],
  validations: [validation],
  auditAnnotations: [{ key: 'high', valueExpression: "'x'" }],
}
const paramRef = { name: 'limit', namespace: 'default', parameterNotFoundAction: 'Deny' }

runKindContract(validatingWebhookConfiguration, { valid: [{ webhooks: [webhook] }, {}] })
runKindContract(mutatingWebhookConfiguration, {
  valid: [
    { webhooks: [{ ...webhook, clientConfig: { url: 'https://example.com/x' }, reinvocationPolicy: 'IfNeeded' }] },
  ],
})
runKindContract(validatingAdmissionPolicy, { valid: [{ spec: policy }] })
runKindContract(validatingAdmissionPolicyBinding, {
  valid: [{ spec: { policyName: 'p', paramRef, validationActions: ['Deny', 'Audit'], matchResources: match } }],
})
runKindContract(mutatingAdmissionPolicy, {
  valid: [
    {
      spec: {
        matchConstraints: match,
        reinvocationPolicy: 'Never',
        mutations: [
          { patchType: 'ApplyConfiguration', applyConfiguration: { expression: 'Object{}' } },
          { patchType: 'JSONPatch', jsonPatch: { expression: '[]' } },
        ],
      },
    },
  ],
})
runKindContract(mutatingAdmissionPolicyBinding, { valid: [{ spec: { policyName: 'p', paramRef } }] })

describe('webhooks', () => {
  it('have the defaults of Kubernetes', () => {
    const { object } = createObject(mutatingWebhookConfiguration, { webhooks: [webhook] })
    expect(object.webhooks?.[0]).toMatchObject({
      failurePolicy: 'Fail',
      matchPolicy: 'Equivalent',
      namespaceSelector: {},
      objectSelector: {},
      reinvocationPolicy: 'Never',
      timeoutSeconds: 10,
      clientConfig: { service: { port: 443 } },
      rules: [{ scope: '*' }],
    })
  })

  const operations = '"*", "CONNECT", "CREATE", "DELETE", "UPDATE"'
  it.each<[Record<string, unknown>, string[]]>([
    [
      { name: 'short.com' },
      ['name: Invalid value: "short.com": should be a domain with at least three segments separated by dots'],
    ],
    [{ name: '' }, ['name: Required value']],
    [
      { rules: [{ ...rule, operations: ['*', 'CREATE'] }] },
      ['rules[0].operations: Invalid value: ["*","CREATE"]: if \'*\' is present, must not specify other operations'],
    ],
    [
      { rules: [{ ...rule, operations: ['LOOK'] }] },
      [`rules[0].operations[0]: Unsupported value: "LOOK": supported values: ${operations}`],
    ],
    [
      { rules: [{ ...rule, resources: ['pods/*', 'pods/log'] }] },
      ['rules[0].resources[1]: Invalid value: "pods/log": if \'pods/*\' is present, must not specify pods/log'],
    ],
    [
      { rules: [{ ...rule, resources: ['*/*', 'pods'] }] },
      ['rules[0].resources: Invalid value: ["*/*","pods"]: if \'*/*\' is present, must not specify other resources'],
    ],
    [
      { rules: [{ operations: ['CREATE'] }] },
      [
        'rules[0].apiGroups: Required value',
        'rules[0].apiVersions: Required value',
        'rules[0].resources: Required value',
      ],
    ],
    [{ sideEffects: undefined }, ['sideEffects: Required value: must specify one of None, NoneOnDryRun']],
    [{ sideEffects: 'Some' }, ['sideEffects: Unsupported value: "Some": supported values: "None", "NoneOnDryRun"']],
    [{ timeoutSeconds: 31 }, ['timeoutSeconds: Invalid value: 31: the timeout value must be between 1 and 30 seconds']],
    [{ clientConfig: {} }, ['clientConfig: Required value: exactly one of url or service is required']],
    [
      { clientConfig: { url: 'http://user@example.com/x?y#z' } },
      [
        'clientConfig.url: Invalid value: "http": \'https\' is the only allowed URL scheme; desired format: https://host[/path]',
        'clientConfig.url: Invalid value: "user": user information is not permitted in the URL',
        'clientConfig.url: Invalid value: "z": fragments are not permitted in the URL',
        'clientConfig.url: Invalid value: "y": query parameters are not permitted in the URL',
      ],
    ],
    [
      { clientConfig: { service: { path: 'a//b', port: 70_000 } } },
      [
        'clientConfig.service.name: Required value',
        'clientConfig.service.namespace: Required value',
        'clientConfig.service.port: Invalid value: 70000: port is not valid: must be between 1 and 65535, inclusive',
        'clientConfig.service.path: Invalid value: "a//b": must start with a \'/\'',
        'clientConfig.service.path: Invalid value: "a//b": segment[0] may not be empty',
        'clientConfig.service.path: Invalid value: "a//b": segment[1] may not be empty',
      ],
    ],
    [{ admissionReviewVersions: [] }, ['admissionReviewVersions: Required value: must specify one of v1, v1beta1']],
    [
      { admissionReviewVersions: ['v2', 'v2'] },
      [
        'admissionReviewVersions[1]: Invalid value: "v2": duplicate version',
        'admissionReviewVersions: Invalid value: ["v2","v2"]: must include at least one of v1, v1beta1',
      ],
    ],
    [
      {
        matchConditions: [
          { name: 'a', expression: ' ' },
          { name: 'a', expression: 'wrong' },
        ],
      },
      [
        'matchConditions[0].expression: Required value',
        'matchConditions[1].expression: Invalid value: "wrong": compilation failed: wrong',
        'matchConditions[1].name: Duplicate value: "a"',
      ],
    ],
  ])('with %j are refused', (changes, errors) => {
    const { errors: found } = createObject(validatingWebhookConfiguration, { webhooks: [{ ...webhook, ...changes }] })
    expect(found).toEqual(errors.map((error) => `webhooks[0].${error}`))
  })

  it('keep on update what was already wrong', () => {
    const old = createObject(validatingWebhookConfiguration, {
      webhooks: [{ ...webhook, sideEffects: 'Some', admissionReviewVersions: ['v2'] }],
    }).object
    expect(updateObject(validatingWebhookConfiguration, old, () => undefined).errors).toEqual([])
  })

  it('have names of their own', () => {
    expect(createObject(validatingWebhookConfiguration, { webhooks: [webhook, webhook] }).errors).toEqual([
      'webhooks[1].name: Duplicate value: "pods.example.com"',
    ])
  })
})

describe('a ValidatingAdmissionPolicy', () => {
  it.each<[Record<string, unknown>, string[]]>([
    [
      { validations: [], auditAnnotations: [] },
      [
        'spec.validations: Required value: validations or auditAnnotations must contain at least one item',
        'spec.auditAnnotations: Required value: validations or auditAnnotations must contain at least one item',
      ],
    ],
    [{ matchConstraints: undefined }, ['spec.matchConstraints: Required value']],
    [{ matchConstraints: {} }, ['spec.matchConstraints.resourceRules: Required value']],
    [
      { failurePolicy: 'Maybe' },
      ['spec.failurePolicy: Unsupported value: "Maybe": supported values: "Fail", "Ignore"'],
    ],
    [
      { paramKind: { apiVersion: 'a/b/c' } },
      [
        'spec.paramKind.apiVersion: Invalid value: "a/b/c": unexpected GroupVersion string: a/b/c',
        'spec.paramKind.kind: Required value',
      ],
    ],
    [
      { variables: [{ name: 'if', expression: '' }] },
      [
        'spec.variables[0].name: Invalid value: "if": name is not a valid CEL identifier',
        'spec.variables[0].expression: Required value: expression is not specified',
      ],
    ],
    [
      { validations: [{ expression: ' ', message: ' ', messageExpression: ' ', reason: 'Because' }] },
      [
        'spec.validations[0].expression: Required value: expression is not specified',
        'spec.validations[0].messageExpression: Invalid value: " ": must be non-empty if specified',
        'spec.validations[0].message: Invalid value: " ": message must be non-empty if specified',
        'spec.validations[0].reason: Unsupported value: "Because": supported values: "Forbidden", "Invalid", "RequestEntityTooLarge"',
      ],
    ],
    [
      { validations: [{ expression: 'wrong', message: 'a\nb' }] },
      [
        'spec.validations[0].expression: Invalid value: "wrong": compilation failed: wrong',
        'spec.validations[0].message: Invalid value: "a\\nb": message must not contain line breaks',
      ],
    ],
    [
      {
        auditAnnotations: [
          { key: 'a', valueExpression: '1' },
          { key: 'a', valueExpression: '' },
        ],
      },
      [
        'spec.auditAnnotations[1].valueExpression: Required value: valueExpression is not specified',
        'spec.auditAnnotations[1].key: Duplicate value: "a"',
      ],
    ],
  ])('with %j is refused', (changes, errors) => {
    expect(createObject(validatingAdmissionPolicy, { spec: { ...policy, ...changes } }).errors).toEqual(errors)
  })

  it('shows its kind of parameters', () => {
    const { object } = createObject(validatingAdmissionPolicy, { spec: policy })
    const cells = (validatingAdmissionPolicy.columns ?? []).slice(1, 3).map((column) => column.cell(object, new Date()))
    expect(cells).toEqual([1, 'rules.example.com/v1/Limit'])
  })
})

describe('bindings of policies', () => {
  it.each<[Record<string, unknown>, string[]]>([
    [{ policyName: undefined }, ['spec.policyName: Required value']],
    [{ validationActions: [] }, ['spec.validationActions: Required value: at least one validation action is required']],
    [
      { validationActions: ['Deny', 'Warn', 'Shout'] },
      [
        'spec.validationActions[2]: Unsupported value: "Shout": supported values: "Audit", "Deny", "Warn"',
        'spec.validationActions: Invalid value: ["Deny","Warn","Shout"]: must not contain both Deny and Warn (repeating the same validation failure information in the API response and headers serves no purpose)',
      ],
    ],
    [
      { paramRef: {} },
      [
        'spec.paramRef: Required value: one of name or selector must be specified',
        'spec.paramRef.parameterNotFoundAction: Required value',
      ],
    ],
    [
      { paramRef: { name: 'a', selector: {}, parameterNotFoundAction: 'Deny' } },
      [
        'spec.paramRef.name: Forbidden: name and selector are mutually exclusive',
        'spec.paramRef.selector: Forbidden: name and selector are mutually exclusive',
      ],
    ],
  ])('with %j are refused', (changes, errors) => {
    const spec = { policyName: 'p', validationActions: ['Deny'], ...changes }
    expect(createObject(validatingAdmissionPolicyBinding, { spec }).errors).toEqual(errors)
  })
})

describe('a MutatingAdmissionPolicy', () => {
  it.each<[Record<string, unknown>, string[]]>([
    [{ mutations: [] }, ['spec.mutations: Required value: mutations must contain at least one item']],
    [{ reinvocationPolicy: '' }, ['spec.reinvocationPolicy: Required value']],
    [
      { mutations: [{ patchType: 'Glue' }] },
      ['spec.mutations[0].patchType: Unsupported value: "Glue": supported values: "ApplyConfiguration", "JSONPatch"'],
    ],
    [
      { mutations: [{ patchType: 'JSONPatch', applyConfiguration: { expression: 'x' } }] },
      [
        'spec.mutations[0].jsonPatch: Required value: must be specified when patchType is JSONPatch',
        'spec.mutations[0].applyConfiguration: Invalid value: "{applyConfiguration}": must not be specified when patchType is JSONPatch',
      ],
    ],
  ])('with %j is refused', (changes, errors) => {
    const mutations = [{ patchType: 'JSONPatch', jsonPatch: { expression: '[]' } }]
    const spec = { matchConstraints: match, reinvocationPolicy: 'Never', mutations, ...changes }
    expect(createObject(mutatingAdmissionPolicy, { spec }).errors).toEqual(errors)
  })
})
