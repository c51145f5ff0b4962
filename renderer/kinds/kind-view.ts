// How the window shows a kind: its columns, its summary, what can be done with it.
import type { Component } from 'vue'
import type { RouteLocationRaw } from 'vue-router'
import type { KubeObject, ResourceRef } from '../api/index.ts'
import type { TableColumn } from '../components/table.ts'
import { timeOf } from '../explain/duration.ts'
import type { State } from '../explain/tone.ts'

export interface SummaryRow {
  term: string
  text?: string
  mono?: boolean
  time?: number
  arch?: string
  /** Where the text leads. */
  to?: RouteLocationRaw
}

export type KindGroup = 'Workloads' | 'Network' | 'Configuration' | 'Cluster'

export interface KindView<T extends KubeObject = KubeObject> {
  readonly resource: ResourceRef<T>
  /** "Deployments", "Deployment". */
  readonly title: string
  readonly singular: string
  /** What such an object is, in one sentence for someone who meets it the first time. */
  readonly about: string
  readonly icon: Component
  readonly group: KindGroup
  readonly columns: readonly TableColumn<T>[]
  state?(object: T): State
  summary?(object: T): SummaryRow[]
  faded?(object: T): boolean
  readonly can?: {
    readonly scale?: boolean
    readonly restart?: boolean
    readonly rollback?: boolean
    readonly edit?: boolean
    readonly remove?: boolean
  }
}

/** Keeps the type of one kind while writing it; the list of kinds holds them without it. */
export const defineKindView = <T extends KubeObject>(view: KindView<T>): KindView => view as unknown as KindView

export const nameColumn = <T extends KubeObject>(): TableColumn<T> => ({
  id: 'name',
  title: 'Name',
  track: 'minmax(150px, 3fr)',
  mono: true,
  text: (object) => object.metadata.name ?? '',
})
export const namespaceColumn = <T extends KubeObject>(): TableColumn<T> => ({
  id: 'namespace',
  title: 'Namespace',
  track: 'minmax(80px, 1fr)',
  minTableWidth: 620,
  text: (object) => object.metadata.namespace ?? '',
})
export const ageColumn = <T extends KubeObject>(): TableColumn<T> => ({
  id: 'age',
  title: 'Age',
  track: '64px',
  align: 'end',
  time: (object) => timeOf(object.metadata.creationTimestamp),
})

export const labelsText = (labels: Readonly<Record<string, string>> | undefined): string =>
  Object.entries(labels ?? {})
    .map(([key, value]) => (value === '' ? key : `${key}=${value}`))
    .join(', ')
