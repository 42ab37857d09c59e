// Who may count in a brand's figure: adults who had agreed to brand measurement when the fact was recorded and have not
// taken it back since (domain 1.12 consent, 5.1 B7, P9, P10).
import { type Command, text } from './delivered.js';

interface Standing {
  ageBand: string;
  /** Orders (places among all that was delivered) of the last grant and the last withdrawal. */
  grantedAt: number;
  withdrawnAt: number;
}

export class Eligibility {
  readonly #members = new Map<string, Standing>();

  constructor(commands: readonly Command[]) {
    for (const { route, order, member, params, body } of commands) {
      if (route === 'POST /v1/members') {
        const standing = { ageBand: text(body.ageBand), grantedAt: Number.POSITIVE_INFINITY, withdrawnAt: -1 };
        this.#members.set(text(body.memberId), standing);
      } else if (route === 'PUT consent' && params[0] === 'brand_measurement') {
        const standing = this.#members.get(member) as Standing;
        if (body.granted === true) standing.grantedAt = order;
        else standing.withdrawnAt = order;
      }
    }
  }

  /** Does a fact about this person count that was recorded at that place? */
  counts(member: string, order: number): boolean {
    const standing = this.#members.get(member);
    if (standing?.ageBand !== '18_plus') return false;
    return standing.grantedAt < order && standing.withdrawnAt < order;
  }
}
