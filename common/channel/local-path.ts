// What the provisioner of local volumes and the node agents agree on.

/** Provisioner of storage classes, and the mark of volumes that it made (annotation pv.kubernetes.io/provisioned-by). */
export const localPathProvisioner = 'lab.orrery.dev/local-path'
/** On the node's data disk: it outlives pods, and restarts of the machine. One folder per volume, named as it. */
export const localPathFolder = '/var/lib/orrery/volumes'
/** Names of those volumes; nothing else in the folder is ever touched. */
export const localPathName = /^pvc-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/
