// Who may count in a brand's figure: adults who had agreed to brand measurement when the fact was recorded and have not
// taken it back since (domain 1.12 consent, 5.1 B7, P9, P10).
import { type Command, text } from './delivered.js';

interface Standing {
  readonly ageBand: string;
  /** What was said of brand measurement, in order. */
  readonly said: { readonly order: number; readonly granted: boolean }[];
}

export class Eligibility {
  readonly #members = new Map<string, Standing>();

  constructor(commands: readonly Command[]) {
    for (const { route, order, member, params, body } of commands) {
      if (route === 'POST /v1/members') {
        this.#members.set(text(body.memberId), { ageBand: text(body.ageBand), said: [] });
      } else if (route === 'PUT consent' && params[0] === 'brand_measurement') {
        this.#members.get(member)?.said.push({ order, granted: body.granted === true });
      }
    }
  }

  /** Does a fact about this person count that was recorded at that place? */
  counts(member: string, order: number): boolean {
    const standing = this.#members.get(member);
    if (standing?.ageBand !== '18_plus') return false;
    const agreed = standing.said.findLast((one) => one.order < order)?.granted === true;
    return agreed && standing.said.every((one) => one.order < order || one.granted);
  }
}
