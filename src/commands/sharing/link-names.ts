// The public code of a share's link and the stream it leads to: both derived, so that nothing has to be looked up and the
// code itself is kept nowhere.
import { keyedCode, keyedHash } from '../../kernel/ids.js';
import type { CommandSecrets } from '../command-context.js';

export const linkCodePattern = /^[0-9A-Za-z]{22}$/;

/** One per share: minting again finds the same one (S4). */
export function linkCodeOf(shareId: string, { shareCode }: CommandSecrets): string {
  return keyedCode(shareCode, 'code', shareId);
}

/** Who has the code can find the link; who has the log cannot find the code. */
export function linkIdOf(code: string, { shareCode }: CommandSecrets): string {
  return Buffer.from(keyedHash(shareCode, 'link', code), 'base64url')
    .toString('hex')
    .slice(0, 32);
}
