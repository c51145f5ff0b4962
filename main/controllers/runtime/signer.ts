// The cluster's keys as controllers may use them: they hand over what is to be signed and never see a key.

/** What a certificate request (PKCS #10) asks to be vouched for. */
export interface RequestedIdentity {
  readonly commonName: string
  readonly organizations: readonly string[]
  readonly dnsNames: readonly string[]
  readonly ipAddresses: readonly string[]
  readonly emailAddresses: readonly string[]
  readonly uris: readonly string[]
}

export interface ClusterSigner {
  /** A JWT of these claims, signed with the key of service account tokens. */
  signToken(claims: Readonly<Record<string, unknown>>): Promise<string>
  /** `pem`: as in a CertificateSigningRequest's spec.request, decoded. Throws an Error for a person when it cannot be read or its own signature is wrong. */
  readRequest(pem: string): Promise<RequestedIdentity>
  /** PEM of a certificate for the request's subject, names and key, issued by the cluster's CA. `usages` in the API's words ("client auth"). */
  signCertificate(request: {
    readonly pem: string
    readonly usages: readonly string[]
    readonly notAfterMs: number
  }): Promise<string>
}
