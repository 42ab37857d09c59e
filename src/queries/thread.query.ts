// GET /v1/conversations/:id/messages: a page of a thread in order of `seq`. The newest messages are in Redis; older ones
// are read from the log, where `seq` is the revision.
import { Controller, Get, Inject, Param, Query as QueryParam } from '@nestjs/common';
import { type IQueryHandler, Query, QueryBus, QueryHandler } from '@nestjs/cqrs';
import { ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import {
  type ConversationDocument,
  type MessageDocument,
  messageDocument,
  type ReadMark,
  threadKeys,
  threadMessagesMax,
} from '../../projections/thread.document.js';
import type { EventLogReader, LogEvent } from '../event-log/event-log.js';
import { ByMember, Scopes } from '../http/access/scopes.js';
import { Problem } from '../http/problem/problem.js';
import { By, type Caller } from '../http/request/caller.js';
import { type RecordedEvent, streamName } from '../kernel/message.js';
import type { PositionToken } from '../kernel/position-token.js';
import { BrandIds } from './brand-ids.js';
import { PageLimit } from './page.js';
import { type Answer, type Freshness, MinPosition, parsed, ReadSide, TakesPosition } from './read-side.js';

export const THREAD_LOG = Symbol('THREAD_LOG');
/** Reads older messages, with their texts. */
export interface ThreadLog {
  readonly log: Pick<EventLogReader, 'readStream'>;
  decode(event: LogEvent): Promise<RecordedEvent>;
}

const Seq = z.coerce.number().pipe(z.int().min(0)).optional();
const Where = z.object({ before: Seq, after: Seq, around: Seq });
export type Where = z.infer<typeof Where>;

export interface ThreadPage extends Freshness {
  /** Ascending by `seq`. */
  readonly items: readonly MessageDocument[];
  /** For `before` and `after` of the neighbouring pages; absent: there is none. */
  readonly previous?: number;
  readonly next?: number;
  /** Reader → how far that reader has read, where it is public. */
  readonly readUpTo: Readonly<Record<string, number>>;
}

/** `viewerId`: a member, or with `asBrand` a brand. */
export class ThreadMessages extends Query<ThreadPage> {
  constructor(
    readonly viewerId: string,
    readonly asBrand: boolean,
    readonly conversationId: string,
    readonly where: Where,
    readonly limit: number,
    readonly min: PositionToken | undefined,
  ) {
    super();
  }
}

@QueryHandler(ThreadMessages)
export class ThreadMessagesHandler implements IQueryHandler<ThreadMessages> {
  constructor(
    private readonly reads: ReadSide,
    private readonly brandIds: BrandIds,
    @Inject(THREAD_LOG) private readonly threadLog: ThreadLog,
  ) {}

  async execute(query: ThreadMessages): Promise<ThreadPage> {
    const { viewerId, asBrand, conversationId } = query;
    const answer = await this.reads.begin(['thread'], query.min);
    const [stored, last, marks] = await answer.read('thread', conversationId, (pipeline, key) => {
      pipeline.get(key(threadKeys.conversation(conversationId)));
      pipeline.get(key(threadKeys.last(conversationId)));
      pipeline.hgetall(key(threadKeys.marks(conversationId)));
    });
    const conversation = parsed<ConversationDocument>(stored);
    if (!conversation || !takesPart(viewerId, asBrand, conversation)) {
      throw new Problem('conversation-not-found', 'no such conversation');
    }
    const lastSeq = parsed<{ seq: number }>(last)?.seq ?? -1;
    const { from, to } = rangeOf(query.where, query.limit, lastSeq);
    const items = from > to ? [] : await this.messages(answer, conversationId, from, to, lastSeq);
    const readUpTo = Object.entries(marks as Record<string, string>).map(
      ([readerId, mark]) => [readerId, (JSON.parse(mark) as ReadMark).seq] as const,
    );
    const page = {
      items,
      ...(from > 0 && from <= to ? { previous: from } : {}),
      ...(to < lastSeq && from <= to ? { next: to } : {}),
      readUpTo: Object.fromEntries(readUpTo),
      ...answer.freshness,
    };
    return asBrand ? this.forBrand(viewerId, conversation, page) : page;
  }

  private async messages(
    answer: Answer,
    conversationId: string,
    from: number,
    to: number,
    lastSeq: number,
  ): Promise<MessageDocument[]> {
    if (from <= lastSeq - threadMessagesMax) return await this.older(conversationId, from, to);
    const seqs = Array.from({ length: to - from + 1 }, (_, index) => String(from + index));
    const [replies] = await answer.read('thread', conversationId, (pipeline, key) =>
      pipeline.hmget(key(threadKeys.messages(conversationId)), ...seqs),
    );
    const found = (replies as unknown[]).flatMap((reply) => parsed<MessageDocument>(reply) ?? []);
    // Newer messages pushed some of them out between the two reads.
    return found.length < seqs.length ? await this.older(conversationId, from, to) : found;
  }

  private async older(conversationId: string, from: number, to: number): Promise<MessageDocument[]> {
    const messages: MessageDocument[] = [];
    const stream = streamName('thread', conversationId);
    for await (const page of this.threadLog.log.readStream(stream, { from, limit: to - from + 1 })) {
      for (const event of page) messages.push(messageDocument(await this.threadLog.decode(event)));
    }
    return messages;
  }

  private forBrand(brandId: string, conversation: ConversationDocument, page: ThreadPage): ThreadPage {
    const alias = (id: string) => (conversation.memberIds.includes(id) ? this.brandIds.memberId(brandId, id) : id);
    return {
      ...page,
      items: page.items.map((message) => ({ ...message, senderId: alias(message.senderId) })),
      readUpTo: Object.fromEntries(Object.entries(page.readUpTo).map(([id, seq]) => [alias(id), seq])),
    };
  }
}

function takesPart(viewerId: string, asBrand: boolean, conversation: ConversationDocument): boolean {
  return asBrand ? conversation.brandId === viewerId : conversation.memberIds.includes(viewerId);
}

/** Inclusive; `from > to` when there is nothing there. @throws Problem `invalid-query` */
function rangeOf({ before, after, around }: Where, limit: number, lastSeq: number): { from: number; to: number } {
  if ([before, after, around].filter((seq) => seq !== undefined).length > 1) {
    throw new Problem('invalid-query', 'only one of before, after and around');
  }
  if (after !== undefined) return { from: after + 1, to: Math.min(lastSeq, after + limit) };
  if (around !== undefined) {
    const from = Math.max(0, Math.min(around - Math.floor(limit / 2), lastSeq - limit + 1));
    return { from, to: Math.min(lastSeq, from + limit - 1) };
  }
  const to = Math.min(lastSeq, (before ?? lastSeq + 1) - 1);
  return { from: Math.max(0, to - limit + 1), to };
}

@ApiTags('conversations')
@Controller('v1')
export class ThreadController {
  constructor(private readonly queries: QueryBus) {}

  @Get('conversations/:conversationId/messages')
  @ByMember()
  @TakesPosition()
  messages(
    @By() caller: Caller,
    @Param('conversationId') conversationId: string,
    @QueryParam({ schema: Where }) where: Where,
    @QueryParam('limit', { schema: PageLimit }) limit: number,
    @MinPosition() min: PositionToken | undefined,
  ): Promise<ThreadPage> {
    return this.queries.execute(new ThreadMessages(caller.memberId ?? '', false, conversationId, where, limit, min));
  }

  @Get('brands/:brandId/conversations/:conversationId/messages')
  @Scopes('brand')
  @TakesPosition()
  brandMessages(
    @Param('brandId') brandId: string,
    @Param('conversationId') conversationId: string,
    @QueryParam({ schema: Where }) where: Where,
    @QueryParam('limit', { schema: PageLimit }) limit: number,
    @MinPosition() min: PositionToken | undefined,
  ): Promise<ThreadPage> {
    return this.queries.execute(new ThreadMessages(brandId, true, conversationId, where, limit, min));
  }
}
