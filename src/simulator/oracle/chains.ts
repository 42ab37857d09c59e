// Which share each share passes on: the one its app named, or else the one that the sharer opened last of the same content,
// in the same session or within 7 days, as far as both had agreed to analysis and the service had heard of it by then.
import { dayMs } from '../../kernel/clock.js';
import { type Command, type Delivered, list, type Observation, record, text } from './delivered.js';
import { AnalyticsConsent } from './eligibility.js';
import { bareShareId } from './threads.js';

export interface Chained {
  readonly shareId: string;
  readonly sharerId: string;
  readonly contentId: string;
  /** A message with a card made it: complete from the beginning, and no sheet was opened. */
  readonly isBare: boolean;
  /** '' for a root. */
  readonly parent: string;
  /** No app named it. */
  readonly inferred: boolean;
}
interface Open {
  readonly shareId: string;
  readonly at: number;
  readonly sessionId: string;
}
type Sharing = Pick<Chained, 'shareId' | 'sharerId' | 'contentId' | 'isBare'> & {
  readonly named: string;
  readonly sessionId: string;
};

const inferredWithinMs = 7 * dayMs;

/** In the order in which they were made. */
export function readChains({ commands, observations }: Delivered): Chained[] {
  const chains = new Chains(new AnalyticsConsent(commands));
  const steps = [...commands, ...observations].sort((a, b) => a.order - b.order);
  for (const step of steps) {
    if ('type' in step) chains.view(step);
    else chains.carryOut(step);
  }
  return chains.shares;
}

class Chains {
  readonly shares: Chained[] = [];
  readonly #byId = new Map<string, Chained>();
  /** `<member> <content>` → in the order in which the service heard of them. */
  readonly #opens = new Map<string, Open[]>();

  constructor(private readonly consent: AnalyticsConsent) {}

  view({ type, data, at, order }: Observation): void {
    const [member, shareId] = [text(data.memberId), text(data.viaShareId)];
    if (type !== 'ContentViewed' || !member || !shareId) return;
    if (this.#byId.get(shareId)?.contentId !== text(record(data.contentRef).contentId)) return;
    this.#open(member, { shareId, at, sessionId: text(data.sessionId) }, order);
  }

  carryOut({ route, member, body, at, order }: Command): void {
    if (route === 'member open' && body.prefetch !== true) {
      const shareId = text(body.code).replace('{{code:', '').replace('}}', '');
      this.#open(member, { shareId, at, sessionId: '' }, order);
      return;
    }
    const sharing = sharingOf(route, member, body);
    if (!sharing) return;
    const { named, sessionId: _, ...share } = sharing;
    const parent = named || this.#openedLast(sharing, at, order);
    const chained = { ...share, parent, inferred: parent !== named };
    this.shares.push(chained);
    this.#byId.set(share.shareId, chained);
  }

  #open(member: string, open: Open, order: number): void {
    const share = this.#byId.get(open.shareId);
    if (!share || share.sharerId === member || !this.consent.agreed(member, order)) return;
    const name = `${member} ${share.contentId}`;
    this.#opens.set(name, [...(this.#opens.get(name) ?? []), open]);
  }

  #openedLast({ sharerId, contentId, sessionId }: Sharing, now: number, order: number): string {
    if (!this.consent.agreed(sharerId, order)) return '';
    const recent = (this.#opens.get(`${sharerId} ${contentId}`) ?? [])
      .filter(({ at }) => at <= now && now - at < inferredWithinMs)
      .sort((a, b) => a.at - b.at);
    const inSession = recent.findLast((open) => sessionId !== '' && open.sessionId === sessionId);
    return (inSession ?? recent.at(-1))?.shareId ?? '';
  }
}

/** A sheet that opens, or a clip put straight into a message. */
function sharingOf(route: string, sharerId: string, body: Command['body']): Sharing | undefined {
  if (route === 'POST share') {
    const { contentId } = record(body.contentRef);
    const share = { shareId: text(body.shareId), sharerId, contentId: text(contentId), isBare: false };
    return { ...share, named: text(body.parentShareId), sessionId: text(body.sessionId) };
  }
  const card = route === 'POST message' ? list(body.attachments).find(({ kind }) => kind === 'share_card') : undefined;
  if (!card || text(card.shareId)) return undefined;
  const { contentId } = record(card.contentRef);
  const share = { shareId: bareShareId(text(body.messageId)), sharerId, contentId: text(contentId), isBare: true };
  return { ...share, named: '', sessionId: '' };
}
