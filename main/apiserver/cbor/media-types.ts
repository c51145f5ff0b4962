export const cborMediaType = 'application/cbor'
/** A stream of items one after the other: watches. */
export const cborSequenceType = 'application/cbor-seq'
export const cborApplyPatchType = 'application/apply-patch+cbor'
