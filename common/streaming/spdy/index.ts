// SPDY/3.1, both roles: `new SpdySession({role, connection, newInflater, onStream})`.
export { type ByteConnection, SpdySession, type SpdySessionOptions } from './session.ts'
export { SpdyStream } from './stream.ts'
export { type HeaderInflater, maxHeaderBlockBytes, type NewHeaderInflater, type SpdyHeaders } from './header-block.ts'
