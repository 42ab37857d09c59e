// GET /v1/live: server-sent events for one member. An event says what to read again and carries the position to read it
// at; its id resumes the stream (Last-Event-ID). `reset` says: read everything again.
import { Controller, Inject, type MessageEvent, type OnModuleDestroy, Req, Sse } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { Observable, Subject, takeUntil } from 'rxjs';
import { friendKeys } from '../../../projections/friends.document.js';
import { ByMember } from '../../http/access/scopes.js';
import { Problem } from '../../http/problem/problem.js';
import { By, type Caller } from '../../http/request/caller.js';
import { decodePositionToken, encodePositionToken } from '../../kernel/position-token.js';
import type { DocumentReader } from '../../stores/documents/reader.js';
import { notReady } from '../read-side.js';
import { type LiveChange, LiveTail } from './live-tail.js';

/** Streams that are open at a time in one process. */
const streamsMax = 1_000;
/** Often enough that proxies keep a quiet stream open. */
const pingEveryMs = 15_000;
const retryAfterSec = 5;

export const LIVE = Symbol('LIVE');
export interface LiveParts {
  readonly tail: LiveTail;
  readonly reader: DocumentReader;
  readonly logId: string;
}

@ApiTags('live')
@Controller('v1/live')
export class LiveController implements OnModuleDestroy {
  private readonly closing = new Subject<void>();

  constructor(@Inject(LIVE) private readonly parts: LiveParts) {}

  /** Open streams end before the server does: it would wait for them. */
  onModuleDestroy(): void {
    this.closing.next();
  }

  @Sse()
  @ByMember()
  live(@By() caller: Caller, @Req() request: FastifyRequest): Observable<MessageEvent> {
    const { tail, logId } = this.parts;
    if (tail.size >= streamsMax) {
      throw new Problem('rate-limited', 'too many live streams are open', { retryAfterSec });
    }
    const asked = request.headers['last-event-id'];
    const token = typeof asked === 'string' ? decodePositionToken(asked) : undefined;
    const resumeAt = token?.logId === logId ? token.position : undefined;
    const mustReset = asked !== undefined && resumeAt === undefined;
    const events = new Observable<MessageEvent>((subscriber) => {
      const stream = new MemberStream(this.parts, caller.memberId ?? '', (event) => subscriber.next(event));
      const ping = setInterval(() => stream.ping(), pingEveryMs);
      void notReady(stream.begin(resumeAt, mustReset)).catch((error: unknown) => subscriber.error(error));
      return () => {
        clearInterval(ping);
        stream.end();
      };
    });
    return events.pipe(takeUntil(this.closing));
  }
}

/** One listener: what concerns the member, and the moments of friends. */
class MemberStream {
  private friends: ReadonlySet<string> = new Set();
  private through = 0n;
  private stop: (() => void) | undefined;
  private ended = false;

  constructor(
    private readonly parts: LiveParts,
    private readonly memberId: string,
    private readonly emit: (event: MessageEvent) => void,
  ) {}

  async begin(resumeAt: bigint | undefined, mustReset: boolean): Promise<void> {
    await this.readFriends();
    // Listening begins before the past is read: what is told twice does no harm, what is missed would.
    this.stop = this.parts.tail.listen({ told: (changes, through) => this.told(changes, through) });
    if (this.ended) this.end();
    const past = resumeAt === undefined ? undefined : await this.parts.tail.since(resumeAt);
    if (past) this.told(past.changes, past.through);
    else if (mustReset || resumeAt !== undefined) this.send('reset', {});
  }

  end(): void {
    this.ended = true;
    this.stop?.();
  }

  ping(): void {
    this.send('ping', {});
  }

  private told(changes: readonly LiveChange[], through: bigint): void {
    if (through > this.through) this.through = through;
    for (const { ownerId, topic, subjectId } of changes) {
      const isOwn = ownerId === this.memberId;
      if (isOwn || (topic === 'moment' && this.friends.has(ownerId))) this.send(topic, { subjectId });
      if (isOwn && topic === 'friends') void this.readFriends().catch(() => undefined);
    }
  }

  private send(type: string, data: Readonly<Record<string, string>>): void {
    const id = encodePositionToken({ logId: this.parts.logId, position: this.through });
    this.emit({ type, id, data: { ...data, position: id } });
  }

  private async readFriends(): Promise<void> {
    const { replies } = await this.parts.reader.read('friends', this.memberId, (pipeline, key) =>
      pipeline.zrange(key(friendKeys.friends(this.memberId)), '0', '-1'),
    );
    this.friends = new Set(replies[0] as string[]);
  }
}
