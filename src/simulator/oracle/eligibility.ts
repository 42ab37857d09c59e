// Who may count. In a brand's figure: adults who had agreed to brand measurement when the fact was recorded and have not
// taken it back since (domain 1.12 consent, 5.1 B7, P9, P10). In the product team's: everybody who did not object.
import { type Command, text } from './delivered.js';

/** What was said of one purpose, by member, in order. */
function saidOf(purpose: string, commands: readonly Command[]): Map<string, { order: number; granted: boolean }[]> {
  const said = new Map<string, { order: number; granted: boolean }[]>();
  for (const { route, order, member, params, body } of commands) {
    if (route !== 'PUT consent' || params[0] !== purpose) continue;
    const own = said.get(member) ?? [];
    said.set(member, own);
    own.push({ order, granted: body.granted === true });
  }
  return said;
}

/** Whom the product team's metrics count: everybody, until they withdraw (domain 1.12, 5.3). */
export class AnalyticsConsent {
  readonly #said: ReadonlyMap<string, readonly { order: number; granted: boolean }[]>;

  constructor(commands: readonly Command[]) {
    this.#said = saidOf('product_analytics', commands);
  }

  /** Did they agree when it was recorded? Nobody in particular has nothing to agree to. */
  agreed(member: string, order: number): boolean {
    return this.#said.get(member)?.findLast((one) => one.order < order)?.granted ?? true;
  }
  /** And have they not taken it back since: then nothing of theirs from before it counts. */
  stillAgreed(member: string, order: number): boolean {
    const later = (this.#said.get(member) ?? []).filter((one) => one.order > order);
    return this.agreed(member, order) && later.every(({ granted }) => granted);
  }
}

export class Eligibility {
  readonly #ages = new Map<string, string>();
  readonly #said: ReadonlyMap<string, readonly { order: number; granted: boolean }[]>;

  constructor(commands: readonly Command[]) {
    for (const { route, body } of commands) {
      if (route === 'POST /v1/members') this.#ages.set(text(body.memberId), text(body.ageBand));
    }
    this.#said = saidOf('brand_measurement', commands);
  }

  /** Does a fact about this person count that was recorded at that place? */
  counts(member: string, order: number): boolean {
    if (this.#ages.get(member) !== '18_plus') return false;
    const said = this.#said.get(member) ?? [];
    const agreed = said.findLast((one) => one.order < order)?.granted === true;
    return agreed && said.every((one) => one.order < order || one.granted);
  }
}
