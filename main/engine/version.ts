// Versions the program reports. Kubernetes' is the API it serves, not software it contains.
export const orreryVersion = '0.1.0'
export const kubernetesVersion = 'v1.36.0'
