// The opaque token that every accepted write answers with and every read may wait for: "show me at least this".
// It carries the log's id, so that a token of another log (a restored backup, another deployment) is noticed.

export interface PositionToken {
  readonly logId: string;
  readonly position: bigint;
}

/** `<base64url of logId:position>`; opaque to clients. */
export function encodePositionToken(token: PositionToken): string {
  return Buffer.from(`${token.logId}:${token.position}`, 'utf8').toString('base64url');
}

/** Undefined when the text is not a token. */
export function decodePositionToken(text: string): PositionToken | undefined {
  const match = /^([0-9a-f-]{36}):([0-9]{1,20})$/.exec(Buffer.from(text, 'base64url').toString('utf8'));
  if (!match?.[1] || match[2] === undefined) return undefined;
  return { logId: match[1], position: BigInt(match[2]) };
}
