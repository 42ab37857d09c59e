// A word that no other commit carries: this process' own beginning, and a number.
import { randomBytes } from 'node:crypto';

const ownBytes = 9;
const own = randomBytes(ownBytes).toString('hex');
let count = 0;

export function freshNonce(): string {
  count += 1;
  return own + count.toString(36);
}
