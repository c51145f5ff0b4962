// The list of screens: rail, palette and router derive from it. A new screen is its folder plus one line here.
import type { Component } from 'vue'
import type { RouteRecordRaw } from 'vue-router'
import IconDeploy from '~icons/lucide/rocket'
import IconImages from '~icons/lucide/layers'
import IconLab from '~icons/lucide/orbit'
import IconWhy from '~icons/lucide/scale'
import IconWorkloads from '~icons/lucide/boxes'

export interface Screen {
  id: string
  title: string
  about: string
  path: string
  icon: Component
  /** Pressed after "g". */
  key: string
  routes: RouteRecordRaw[]
}

export const screens: readonly Screen[] = [
  {
    id: 'lab',
    title: 'Lab',
    about: 'The machines and what runs in them',
    path: '/lab',
    icon: IconLab,
    key: 'l',
    routes: [{ path: '/lab', name: 'lab', component: () => import('../features/lab/LabScreen.vue') }],
  },
  {
    id: 'workloads',
    title: 'Workloads',
    about: 'Live lists of every kind',
    path: '/workloads',
    icon: IconWorkloads,
    key: 'w',
    routes: [
      { path: '/workloads', redirect: '/workloads/deployments' },
      {
        path: '/workloads/:kind',
        name: 'list',
        component: () => import('../features/workloads/ListScreen.vue'),
        props: true,
      },
      {
        path: '/workloads/:kind/:namespace/:name',
        name: 'detail',
        component: () => import('../features/workloads/DetailScreen.vue'),
        props: true,
      },
    ],
  },
  {
    id: 'deploy',
    title: 'Deploy',
    about: 'A guided form beside the YAML it writes',
    path: '/deploy',
    icon: IconDeploy,
    key: 'd',
    routes: [
      { path: '/deploy', name: 'deploy', component: () => import('../features/deploy/DeployScreen.vue') },
      {
        path: '/deploy/:namespace/:name',
        name: 'follow',
        component: () => import('../features/deploy/FollowScreen.vue'),
        props: true,
      },
    ],
  },
  {
    id: 'why',
    title: 'Why here?',
    about: 'Every scheduling decision, node by node',
    path: '/why',
    icon: IconWhy,
    key: 'y',
    routes: [
      { path: '/why', name: 'why', component: () => import('../features/why-here/WhyScreen.vue') },
      {
        path: '/why/:namespace/:name',
        name: 'why-pod',
        component: () => import('../features/why-here/WhyScreen.vue'),
        props: true,
      },
    ],
  },
  {
    id: 'images',
    title: 'Images',
    about: 'What the lab can run, per architecture',
    path: '/images',
    icon: IconImages,
    key: 'i',
    routes: [{ path: '/images', name: 'images', component: () => import('../features/images/ImagesScreen.vue') }],
  },
]
