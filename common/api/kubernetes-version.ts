// The Kubernetes API that is served, and how server and nodes name themselves: clients compare major and minor, what follows
// "+" is build metadata to all of them.
export const kubernetesVersion = '1.36.3'
export const gitVersion = `v${kubernetesVersion}+orrery`
