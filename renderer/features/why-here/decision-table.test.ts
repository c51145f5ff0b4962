import { describe, expect, it } from 'vitest'
import type { NodeVerdict, SchedulingDecision } from '../../../common/api/lab/v1alpha1.ts'
import { decisionTable, decisionWords } from './decision-table.ts'

const passed = { plugin: 'NodeResourcesFit', passed: true }
const verdict = (node: string, total?: number): NodeVerdict =>
  total === undefined
    ? {
        node,
        filters: [
          { plugin: 'TaintToleration', passed: true },
          { plugin: 'NodeResourcesFit', passed: false, reason: 'Insufficient memory' },
        ],
      }
    : {
        node,
        filters: [{ plugin: 'TaintToleration', passed: true }, passed],
        scores: [{ plugin: 'PodTopologySpread', score: total / 2, weight: 2 }],
        total,
      }
const decision = (nodes: NodeVerdict[], nodeName?: string): SchedulingDecision => ({
  apiVersion: 'lab.orrery.dev/v1alpha1',
  kind: 'SchedulingDecision',
  metadata: { name: 'web', namespace: 'default' },
  status: {
    podUid: 'u',
    time: '',
    attempt: 1,
    outcome: nodeName === undefined ? 'Unschedulable' : 'Scheduled',
    nodeName,
    message: 'm',
    nodes,
  },
})

describe('decisionTable', () => {
  it('puts the chosen node first and those that do not fit last', () => {
    const table = decisionTable(decision([verdict('a'), verdict('b', 100), verdict('c', 120)], 'b'))
    expect(table.rows.map((row) => row.node)).toEqual(['b', 'c', 'a'])
    expect(table.filters).toEqual(['TaintToleration', 'NodeResourcesFit'])
    expect(table.scores).toEqual([{ plugin: 'PodTopologySpread', weight: 2 }])
  })
})

describe('decisionWords', () => {
  it('says what made the difference', () => {
    expect(decisionWords(decision([verdict('a', 100), verdict('b', 160)], 'b'))).toBe(
      'b scored 160, ahead of a with 100, most of it for spreading the pods of one workload.',
    )
  })
  it('names the only one that fits and why the others do not', () => {
    expect(decisionWords(decision([verdict('a'), verdict('b', 10)], 'b'))).toBe(
      'b was the only node of 2 that fits. a has too little unreserved memory.',
    )
  })
  it('says why nowhere', () => {
    expect(decisionWords(decision([verdict('a')]))).toBe('No node fits: a has too little unreserved memory.')
  })
  it('admits a draw', () => {
    expect(decisionWords(decision([verdict('a', 100), verdict('b', 100)], 'a'))).toContain('scored the same')
  })
})
