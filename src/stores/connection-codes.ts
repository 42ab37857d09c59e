// Under which codes Node tells that a server was not reached or that the connection to it broke: nobody has answered, so
// nobody has said no. What the clients of the stores say in words of their own stands beside each client.
const codes: ReadonlySet<unknown> = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ECONNABORTED',
  'EPIPE',
  'ETIMEDOUT',
  // A name that is not known now may be known again: the service has reached it before.
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
]);

export function hasConnectionCode(error: object): boolean {
  return codes.has((error as { readonly code?: unknown }).code);
}
