// A generated social history for the tests of the document projections: valid events of a few people who meet, talk,
// fall out, publish and share, from one seed. It keeps a naive model of what the answers must be, which shares no code
// with the projections.
import { eventCatalog } from '../../src/domain/catalog.js';
import type { LogEvent, NewEvent } from '../../src/event-log/event-log.js';
import { brandConversationId, deriveId, directConversationId, pairId } from '../../src/kernel/ids.js';
import type { EventMetadata } from '../../src/kernel/message.js';
import { seeded } from '../seeded.js';

export interface SocialEvent {
  readonly stream: string;
  readonly type: string;
  readonly data: Record<string, unknown>;
  readonly occurredAt: string;
}

interface Pair {
  state: 'none' | 'requested' | 'friends';
  requestId: string;
  from: string;
  readonly blocks: Set<string>;
}
interface Talk {
  readonly id: string;
  readonly kind: 'direct' | 'brand';
  readonly owners: readonly string[];
  readonly messages: { readonly owner: string }[];
  readonly marks: Map<string, number>;
  /** Began between strangers, and `to` has not accepted. */
  request: { readonly to: string; readonly from: string; declined: boolean } | undefined;
}
interface MomentFact {
  readonly momentId: string;
  readonly authorId: string;
  readonly at: number;
  readonly reactions: Map<string, string>;
  deleted: boolean;
}
export interface ShareFact {
  readonly shareId: string;
  readonly sharerId: string;
  readonly depth: number;
  readonly rootShareId: string;
  readonly parent: ShareFact | undefined;
  /** No app named the parent. */
  readonly inferred: boolean;
  /** Root and depth by named parents, where they are others. */
  readonly explicit: { readonly rootShareId: string; readonly depth: number } | undefined;
  children: number;
  linkId?: string;
  opens: number;
  clickBacks: number;
}

const brandId = 'shop';
const startMs = Date.parse('2026-03-01T08:00:00.000Z');

export class SocialHistory {
  readonly events: SocialEvent[] = [];
  readonly people: readonly string[];
  readonly pairs = new Map<string, Pair>();
  readonly talks = new Map<string, Talk>();
  readonly moments: MomentFact[] = [];
  readonly shares: ShareFact[] = [];
  private readonly random: () => number;
  private nowMs = startMs;
  private serial = 0;

  constructor(seed: number, people: number, steps: number) {
    this.random = seeded(seed);
    this.people = Array.from({ length: people }, (_, index) => `m${index}`);
    this.found();
    for (let step = 0; step < steps; step += 1) {
      this.nowMs += 1 + Math.floor(this.random() * 60_000);
      this.act();
    }
  }

  private found(): void {
    this.emit(`brand-${brandId}`, 'BrandRegistered', { brandId, name: 'Shop', timeZone: 'UTC' });
    for (const memberId of this.people) {
      const names = { handle: `h-${memberId}`, displayName: `Name ${memberId}` };
      this.emit(`member-${memberId}`, 'MemberRegistered', { memberId, ...names, ageBand: '18_plus', country: 'AT' });
    }
  }

  private act(): void {
    const kinds: readonly [number, () => void][] = [
      [10, () => this.befriend()],
      [1, () => this.unfriend()],
      [1, () => this.block()],
      [8, () => this.publish()],
      [1, () => this.deleteMoment()],
      [6, () => this.react()],
      [14, () => this.talk()],
      [6, () => this.readUpTo()],
      [4, () => this.share()],
      [4, () => this.openLink()],
      [1, () => this.rename()],
    ];
    let at = this.random() * kinds.reduce((sum, [weight]) => sum + weight, 0);
    const chosen = kinds.find(([weight]) => {
      at -= weight;
      return at < 0;
    });
    chosen?.[1]();
  }

  private befriend(): void {
    const [a, b] = this.two();
    const pair = this.pair(a, b);
    const stream = `friendship-${pairId(a, b)}`;
    if (pair.blocks.size > 0 || pair.state === 'friends') return;
    if (pair.state === 'none') {
      const requestId = this.id('q');
      Object.assign(pair, { state: 'requested', requestId, from: a });
      const expiresAt = new Date(this.nowMs + 90 * 86_400_000).toISOString();
      this.emit(stream, 'FriendRequestSent', {
        requestId,
        fromMemberId: a,
        toMemberId: b,
        origin: 'search',
        expiresAt,
      });
      return;
    }
    const to = pair.from === a ? b : a;
    const request = { requestId: pair.requestId, fromMemberId: pair.from, toMemberId: to };
    if (this.chance(0.2)) {
      pair.state = 'none';
      this.emit(stream, 'FriendRequestDeclined', { ...request, decisionLatencySec: 1 });
      return;
    }
    pair.state = 'friends';
    const members = [a, b].toSorted();
    this.emit(stream, 'FriendRequestAccepted', { ...request, decisionLatencySec: 1 });
    this.emit(stream, 'FriendshipFormed', {
      friendshipId: this.id('f'),
      members,
      formedBy: 'accept',
      origin: 'search',
    });
    const talk = this.talks.get(directConversationId(a, b));
    if (talk) talk.request = undefined;
  }

  private unfriend(): void {
    const [a, b] = this.two();
    const pair = this.pair(a, b);
    if (pair.state === 'friends') this.end(a, b, pair, 'removed');
  }

  private end(a: string, b: string, pair: Pair, reason: 'removed' | 'blocked'): void {
    pair.state = 'none';
    const members = [a, b].toSorted();
    const friendshipId = deriveId('friendship', pairId(a, b));
    this.emit(`friendship-${pairId(a, b)}`, 'FriendshipEnded', {
      friendshipId,
      members,
      endedBy: a,
      reason,
      durationDays: 0,
    });
  }

  private block(): void {
    const [a, b] = this.two();
    const pair = this.pair(a, b);
    const stream = `friendship-${pairId(a, b)}`;
    if (pair.blocks.delete(a)) {
      this.emit(stream, 'MemberUnblocked', { blockerId: a, blockedId: b });
      return;
    }
    if (pair.state === 'friends') this.end(a, b, pair, 'blocked');
    if (pair.state === 'requested') {
      pair.state = 'none';
      const to = pair.from === a ? b : a;
      const request = { requestId: pair.requestId, fromMemberId: pair.from, toMemberId: to };
      this.emit(stream, 'FriendRequestCancelled', { ...request, ageSec: 1 });
    }
    pair.blocks.add(a);
    this.emit(stream, 'MemberBlocked', { blockerId: a, blockedId: b, context: 'profile' });
  }

  private publish(): void {
    const authorId = this.person();
    const momentId = this.id('moment');
    // Some are told later than they happened.
    const at = this.nowMs - (this.chance(0.2) ? Math.floor(this.random() * 3_600_000) : 0);
    this.moments.push({ momentId, authorId, at, reactions: new Map(), deleted: false });
    const contentRef = { kind: 'photo', contentId: this.id('c'), creatorId: authorId };
    const caption = this.chance(0.5) ? { caption: 'hello' } : {};
    const moment = {
      momentId,
      authorId,
      contentRef,
      ...caption,
      audience: 'friends',
      productRefs: [],
      allowReshare: true,
    };
    this.emit(`moment-${momentId}`, 'MomentPublished', moment, at);
  }

  private deleteMoment(): void {
    const moment = this.liveMoment();
    if (!moment) return;
    moment.deleted = true;
    const { momentId, authorId } = moment;
    this.emit(`moment-${momentId}`, 'MomentDeleted', { momentId, authorId });
  }

  private react(): void {
    const moment = this.liveMoment();
    if (!moment) return;
    const memberId = this.person();
    const { momentId, authorId } = moment;
    if (moment.reactions.has(memberId) && this.chance(0.5)) {
      moment.reactions.delete(memberId);
      this.emit(`moment-${momentId}`, 'MomentReactionRemoved', { momentId, authorId, memberId });
      return;
    }
    const reaction = this.pick(['+', '!', '?']);
    if (moment.reactions.get(memberId) === reaction) return;
    moment.reactions.set(memberId, reaction);
    this.emit(`moment-${momentId}`, 'MomentReacted', { momentId, authorId, memberId, reaction });
  }

  private talk(): void {
    const brand = this.chance(0.25);
    const [a, b] = this.two();
    const owners = brand ? [a, brandId] : [a, b];
    const id = brand ? brandConversationId(a, brandId) : directConversationId(a, b);
    if (!brand && this.pair(a, b).blocks.size > 0) return;
    let talk = this.talks.get(id);
    if (!talk) {
      const request = brand || this.pair(a, b).state === 'friends' ? undefined : { to: b, from: a, declined: false };
      talk = { id, kind: brand ? 'brand' : 'direct', owners, messages: [], marks: new Map(), request };
      this.talks.set(id, talk);
      this.emit(`conversation-${id}`, 'ConversationStarted', {
        conversationId: id,
        kind: talk.kind,
        startedBy: a,
        memberIds: brand ? [a] : [a, b].toSorted(),
        ...(brand ? { brandId } : {}),
        ...(request ? { requestTo: request.to } : {}),
        origin: 'profile',
      });
    }
    if (talk.request && !talk.request.declined && this.chance(0.1)) {
      this.answerRequest(talk.id, talk.request, 'Declined');
      talk.request.declined = true;
      return;
    }
    this.send(talk, a, this.chance(0.5) ? a : (owners[1] as string));
  }

  /** Goes on with one conversation for so many messages; the events that this adds. */
  talkOn(talk: Talk, messages: number): readonly SocialEvent[] {
    const first = this.events.length;
    for (let count = 0; count < messages; count += 1) {
      this.nowMs += 1_000;
      this.send(talk, talk.owners[0] as string, this.pick(talk.owners));
    }
    return this.events.slice(first);
  }

  private answerRequest(conversationId: string, { to, from }: NonNullable<Talk['request']>, how: string): void {
    const answer = { conversationId, memberId: to, requestedBy: from, latencySec: 1 };
    const by = how === 'Accepted' ? { by: 'answer' } : {};
    this.emit(`conversation-${conversationId}`, `ConversationRequest${how}`, { ...answer, ...by });
  }

  private send(talk: Talk, customer: string, owner: string): void {
    if (talk.request?.to === owner) {
      this.answerRequest(talk.id, talk.request, 'Accepted');
      talk.request = undefined;
    }
    talk.messages.push({ owner });
    const other = talk.owners.find((id) => id !== owner) as string;
    const sides =
      talk.kind === 'direct'
        ? { senderId: owner, recipientIds: [other] }
        : owner === brandId
          ? { senderId: 'agent-1', recipientIds: [customer], brandId, side: 'brand' }
          : { senderId: owner, recipientIds: [], brandId, side: 'customer' };
    const answers =
      this.shares.length > 0 && this.chance(0.2) ? { answersShareId: this.pick(this.shares).shareId } : {};
    this.emit(`thread-${talk.id}`, 'MessageSent', {
      messageId: this.id('x'),
      conversationId: talk.id,
      conversationKind: talk.kind,
      senderKind: 'human',
      ...sides,
      body: `text ${this.serial}`,
      bodyMeta: { graphemes: 5, words: 1, hasLink: false },
      attachments: [],
      ...answers,
    });
  }

  private readUpTo(): void {
    const talk = this.pick([...this.talks.values()]);
    if (!talk || talk.messages.length === 0) return;
    const readerId = this.pick(talk.owners);
    const seq = Math.floor(this.random() * talk.messages.length);
    if ((talk.marks.get(readerId) ?? -1) >= seq) return;
    talk.marks.set(readerId, seq);
    const side = readerId === brandId ? 'brand' : 'member';
    const visibility = this.chance(0.5) ? 'public' : 'private';
    const mark = { conversationId: talk.id, readerId, side, seq, visibility };
    this.emit(`readmark-${talk.id}_${readerId}`, 'ConversationReadUpTo', mark);
  }

  private share(): void {
    const shareId = this.id('s');
    const sharerId = this.person();
    const parent = this.shares.length > 0 && this.chance(0.4) ? this.pick(this.shares) : undefined;
    const depth = parent ? parent.depth + 1 : 0;
    const rootShareId = parent?.rootShareId ?? shareId;
    const contentRef = { kind: 'video', contentId: 'v1', creatorId: 'm0' };
    const inferred = parent !== undefined && this.serial % 3 === 0;
    const above = parent?.explicit && { ...parent.explicit, depth: parent.explicit.depth + 1 };
    const explicit = inferred ? { rootShareId: shareId, depth: 0 } : above;
    const chain = parent
      ? { parentShareId: parent.shareId, parentEvidence: inferred ? 'window' : 'explicit', rootShareId, depth }
      : { parentEvidence: 'none', rootShareId, depth };
    const named = explicit ? { explicit } : {};
    const act = { shareId, sharerId, contentRef, productRefs: [], surface: 'feed', ...chain, ...named };
    const place = { depth, rootShareId, parent, inferred, explicit };
    const share: ShareFact = { shareId, sharerId, ...place, children: 0, opens: 0, clickBacks: 0 };
    this.emit(`share-${shareId}`, 'ShareInitiated', act);
    if (this.chance(0.1)) {
      this.emit(`share-${shareId}`, 'ShareAbandoned', { ...act, stage: 'sheet', by: 'timer' });
      return;
    }
    if (parent) parent.children += 1;
    this.shares.push(share);
    const linkId = this.id('l');
    const done = { ...act, timeToShareMs: 1, completionKnown: true, lateCompletion: false };
    const where = { destinationClass: 'off_platform', destination: 'whatsapp', channelEvidence: 'declared', linkId };
    this.emit(`share-${shareId}`, 'ShareCompleted', { ...done, ...where });
    if (this.chance(0.3)) return;
    share.linkId = linkId;
    const link = {
      linkId,
      shareId,
      sharerId,
      contentRef,
      productRefs: [],
      destinationHint: 'whatsapp',
      showSharer: false,
    };
    this.emit(`sharelink-${linkId}`, 'ShareLinkMinted', link);
  }

  private openLink(): void {
    const share = this.pick(this.shares.filter(({ linkId }) => linkId !== undefined));
    if (!share?.linkId) return;
    const { shareId, sharerId, linkId } = share;
    const contentRef = { kind: 'video', contentId: 'v1', creatorId: 'm0' };
    const opened = { openId: this.id('o'), linkId, shareId, sharerId, contentRef };
    const visitor = { visitorKey: 'v', openerStatus: 'unknown' };
    const isPreviewBot = this.chance(0.4);
    const flags = { isSelfOpen: false, isPreviewBot, isPrefetch: false, isRepeat: false, firstForVisitor: true };
    const browser = { referrerClass: 'none', uaFamily: 'any', osFamily: 'any' };
    share.opens += 1;
    this.emit(`sharelink-${linkId}`, 'ShareLinkOpened', { ...opened, ...visitor, ...flags, ...browser });
    if (isPreviewBot) return;
    share.clickBacks += 1;
    const mintedAt = new Date(startMs).toISOString();
    const counted = { ...opened, ...visitor, productRefs: [], destinationHint: 'whatsapp', mintedAt };
    this.emit(`sharelink-${linkId}`, 'ClickBackCounted', counted);
  }

  private rename(): void {
    const memberId = this.person();
    this.emit(`member-${memberId}`, 'MemberProfileChanged', { memberId, displayName: `Name ${this.serial}` });
  }

  private emit(stream: string, type: string, data: Record<string, unknown>, atMs = this.nowMs): void {
    eventCatalog[type]?.parse(data);
    this.events.push({ stream, type, data, occurredAt: new Date(atMs).toISOString() });
  }

  pair(a: string, b: string): Pair {
    const id = pairId(a, b);
    let pair = this.pairs.get(id);
    if (!pair) {
      pair = { state: 'none', requestId: '', from: '', blocks: new Set() };
      this.pairs.set(id, pair);
    }
    return pair;
  }
  private liveMoment(): MomentFact | undefined {
    return this.pick(this.moments.filter(({ deleted }) => !deleted));
  }
  private two(): [string, string] {
    const a = this.person();
    const b = this.person();
    return a === b ? this.two() : [a, b];
  }
  private person(): string {
    return this.pick(this.people);
  }
  private id(kind: string): string {
    this.serial += 1;
    return `${kind}${this.serial}`;
  }
  private chance(probability: number): boolean {
    return this.random() < probability;
  }
  private pick<T>(from: readonly T[]): T {
    return from[Math.floor(this.random() * from.length)] as T;
  }
}

const recordedAt = 1_772_000_000_000;

/** As the log would give it back; nothing is sealed. */
export function asLogEvents(events: readonly SocialEvent[]): LogEvent[] {
  const revisions = new Map<string, number>();
  return events.map((event, index) => {
    const revision = (revisions.get(event.stream) ?? -1) + 1;
    revisions.set(event.stream, revision);
    // Positions with gaps, as logs have them.
    return {
      ...asNewEvent(event, index),
      stream: event.stream,
      revision,
      position: BigInt(index + 1) * 7n,
      recordedAt,
    };
  });
}

export function asNewEvent(event: SocialEvent, index: number): NewEvent {
  const metadata: EventMetadata = {
    schemaVersion: 1,
    actor: { kind: 'system', id: 'test' },
    occurredAt: event.occurredAt,
    receivedAt: event.occurredAt,
    correlationId: 'k',
    source: 'server',
  };
  return {
    id: deriveId('social', String(index)),
    type: event.type,
    contentType: 'application/json',
    data: Buffer.from(JSON.stringify(event.data)),
    metadata: Buffer.from(JSON.stringify(metadata)),
  };
}
