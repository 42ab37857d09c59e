// GET /v1/inbox, /v1/unread and a brand's inbox: conversations by last activity with exact unread counts. A brand sees
// its customers under ids that mean nothing to any other brand.
import { Controller, Get, Param, Query as QueryParam } from '@nestjs/common';
import { type IQueryHandler, Query, QueryBus, QueryHandler } from '@nestjs/cqrs';
import { ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import {
  canAnswer,
  canSend,
  type InboxRow,
  inboxKeys,
  type LastMessage,
  unreadOf,
} from '../../projections/inbox.document.js';
import { ByMember, Scopes } from '../http/access/scopes.js';
import { By, type Caller } from '../http/request/caller.js';
import { toMs } from '../kernel/clock.js';
import type { PositionToken } from '../kernel/position-token.js';
import { BrandIds } from './brand-ids.js';
import { decodeCursor, encodeCursor, entriesBelow, PageCursor, PageLimit } from './page.js';
import { brandCards, memberCards, type Person, personOf } from './people.js';
import { type Answer, type Freshness, MinPosition, parsed, ReadSide, TakesPosition } from './read-side.js';

export interface InboxItem {
  readonly conversationId: string;
  readonly kind: 'direct' | 'brand';
  /** The other side: a person, or a brand. */
  readonly member?: Person;
  readonly brand?: { readonly brandId: string; readonly name?: string | undefined };
  readonly lastActivityAt: string;
  readonly lastMessage?: LastMessage;
  readonly unread: number;
  readonly viewer: { readonly canSend: boolean };
}
export interface InboxPage extends Freshness {
  readonly items: readonly InboxItem[];
  readonly cursor?: string;
}

const InboxFilter = z
  .enum(['accepted', 'requests'])
  .default('accepted')
  .meta({ description: 'requests: what strangers began and the member has neither accepted nor declined.' });

/** Whose inbox: a member's, or a brand's as somebody (or a bot) who would answer for it at `now` sees it. */
export type InboxOwner =
  | { readonly memberId: string; readonly filter: z.infer<typeof InboxFilter> }
  | { readonly brandId: string; readonly isBot: boolean; readonly now: string };

export class Inbox extends Query<InboxPage> {
  constructor(
    readonly owner: InboxOwner,
    readonly limit: number,
    readonly cursor: string | undefined,
    readonly min: PositionToken | undefined,
  ) {
    super();
  }
}

@QueryHandler(Inbox)
export class InboxHandler implements IQueryHandler<Inbox> {
  constructor(
    private readonly reads: ReadSide,
    private readonly brandIds: BrandIds,
  ) {}

  async execute({ owner, limit, cursor, min }: Inbox): Promise<InboxPage> {
    const isRequests = 'filter' in owner && owner.filter === 'requests';
    const ownerId = 'brandId' in owner ? owner.brandId : owner.memberId;
    const question = isRequests ? 'inbox-requests' : 'inbox';
    const after = decodeCursor(question, cursor);
    const answer = await this.reads.begin(['inbox', 'cards'], min);
    const key = isRequests ? inboxKeys.requests(ownerId) : inboxKeys.inbox(ownerId);
    const at = { projection: 'inbox', ownerId, key };
    const entries = await entriesBelow(answer, at, after, limit + 1);
    const page = entries.slice(0, limit);
    const rows = await rowsOf(
      answer,
      ownerId,
      page.map(({ member }) => member),
    );
    const items = 'brandId' in owner ? this.brandItems(owner, rows) : await memberItems(answer, ownerId, rows);
    const last = entries.length > limit ? page.at(-1) : undefined;
    return { items, ...(last ? { cursor: encodeCursor(question, last) } : {}), ...answer.freshness };
  }

  private brandItems(
    { brandId, isBot, now }: Extract<InboxOwner, { brandId: string }>,
    rows: readonly InboxRow[],
  ): InboxItem[] {
    return rows.map((row) => {
      const item = itemOf(row, canAnswer(row, isBot, toMs(now)));
      const { lastMessage } = item;
      const member = { memberId: this.brandIds.memberId(brandId, row.otherId ?? '') };
      if (lastMessage?.side !== 'customer') return { ...item, member };
      return { ...item, member, lastMessage: { ...lastMessage, senderId: member.memberId } };
    });
  }
}

async function rowsOf(answer: Answer, ownerId: string, conversationIds: readonly string[]): Promise<InboxRow[]> {
  if (conversationIds.length === 0) return [];
  const [replies] = await answer.read('inbox', ownerId, (pipeline, key) =>
    pipeline.hmget(key(inboxKeys.rows(ownerId)), ...conversationIds),
  );
  return (replies as unknown[]).flatMap((reply) => parsed<InboxRow>(reply) ?? []);
}

async function memberItems(answer: Answer, memberId: string, rows: readonly InboxRow[]): Promise<InboxItem[]> {
  const [members, brands] = await Promise.all([
    memberCards(answer, new Set(rows.flatMap(({ otherId }) => otherId ?? []))),
    brandCards(answer, new Set(rows.flatMap(({ brandId }) => brandId ?? []))),
  ]);
  return rows.map((row) => ({
    ...itemOf(row, canSend(memberId, row)),
    ...(row.otherId === undefined ? {} : { member: personOf(members, row.otherId) }),
    ...(row.brandId === undefined ? {} : { brand: { brandId: row.brandId, name: brands.get(row.brandId)?.name } }),
  }));
}

function itemOf(row: InboxRow, maySend: boolean): InboxItem {
  const { conversationId, kind, lastActivityAt, lastMessage } = row;
  return {
    conversationId,
    kind,
    lastActivityAt,
    ...(lastMessage ? { lastMessage } : {}),
    unread: unreadOf(row),
    viewer: { canSend: maySend },
  };
}

@ApiTags('conversations')
@Controller('v1')
export class InboxController {
  constructor(private readonly queries: QueryBus) {}

  @Get('inbox')
  @ByMember()
  @TakesPosition()
  inbox(
    @By() caller: Caller,
    @QueryParam('filter', { schema: InboxFilter }) filter: z.infer<typeof InboxFilter>,
    @QueryParam('limit', { schema: PageLimit }) limit: number,
    @QueryParam('cursor', { schema: PageCursor }) cursor: string | undefined,
    @MinPosition() min: PositionToken | undefined,
  ): Promise<InboxPage> {
    return this.queries.execute(new Inbox({ memberId: caller.memberId ?? '', filter }, limit, cursor, min));
  }

  /** `canSend` is for a human who answers, or with `Homing-Agent: <id>;bot` for the bot, whose window is shorter. */
  @Get('brands/:brandId/inbox')
  @Scopes('brand')
  @TakesPosition()
  brandInbox(
    @By() { agent, now }: Caller,
    @Param('brandId') brandId: string,
    @QueryParam('limit', { schema: PageLimit }) limit: number,
    @QueryParam('cursor', { schema: PageCursor }) cursor: string | undefined,
    @MinPosition() min: PositionToken | undefined,
  ): Promise<InboxPage> {
    const owner = { brandId, isBot: agent?.bot === true, now };
    return this.queries.execute(new Inbox(owner, limit, cursor, min));
  }
}
