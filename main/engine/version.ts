export const orreryVersion = '0.1.0'
