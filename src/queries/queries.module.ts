// The read side for the app, as one module: what it needs is handed in.
import { type DynamicModule, Module } from '@nestjs/common';
import { CqrsModule } from '@nestjs/cqrs';
import type { ShardName } from '../kernel/document-keys.js';
import { keyedHash } from '../kernel/ids.js';
import { Progress } from '../stores/documents/progress.js';
import { DocumentReader } from '../stores/documents/reader.js';
import { BrandIds } from './brand-ids.js';
import { FeedController, FeedHandler } from './feed.query.js';
import { FriendListHandler, FriendsController } from './friends.query.js';
import { InboxController, InboxHandler } from './inbox.query.js';
import { LIVE, LiveController, type LiveParts } from './live/live.controller.js';
import { LiveTail } from './live/live-tail.js';
import { ReadSide } from './read-side.js';
import { RelationshipsController, RelationshipsHandler } from './relationships.query.js';
import { ShareController, ShareDetailHandler } from './share.query.js';
import { THREAD_LOG, ThreadController, type ThreadLog, ThreadMessagesHandler } from './thread.query.js';
import { UnreadController, UnreadHandler } from './unread.query.js';

export interface QueriesOptions {
  readonly redis: ConstructorParameters<typeof DocumentReader>[0];
  /** As the projector has them. */
  readonly shards: number;
  readonly logId: string;
  readonly readWaitMsMax: number;
  readonly masterKey: Buffer;
  readonly threads: ThreadLog;
  /** Absent: one that asks Redis alone. */
  readonly progress?: Progress;
  /** A look of the live streams that failed; the next one is tried all the same. */
  readonly failed?: (error: unknown) => void;
}

/** Projections that tell live listeners. */
const liveProjections = ['cards', 'friends', 'friend-feed', 'inbox', 'shares'];

function liveShards(shards: number): ShardName[] {
  return liveProjections.flatMap((projection) =>
    Array.from({ length: shards }, (_, shard) => ({ projection, shard, shards })),
  );
}

@Module({})
export class QueriesModule {}

export function queriesModule(options: QueriesOptions): DynamicModule {
  const reader = new DocumentReader(options.redis, options.shards, options.logId);
  const readSide = new ReadSide(reader, options.progress ?? new Progress(reader), options.logId, options.readWaitMsMax);
  const tail = new LiveTail(reader, liveShards(options.shards), options.failed ?? (() => undefined));
  const brandKey = Buffer.from(keyedHash(options.masterKey, 'brand-ids'), 'base64url');
  return {
    module: QueriesModule,
    imports: [CqrsModule],
    controllers: [
      FeedController,
      FriendsController,
      RelationshipsController,
      InboxController,
      UnreadController,
      ThreadController,
      ShareController,
      LiveController,
    ],
    providers: [
      { provide: ReadSide, useValue: readSide },
      { provide: BrandIds, useValue: new BrandIds(brandKey) },
      { provide: LIVE, useValue: { tail, reader, logId: options.logId } satisfies LiveParts },
      { provide: THREAD_LOG, useValue: options.threads },
      FeedHandler,
      FriendListHandler,
      RelationshipsHandler,
      InboxHandler,
      UnreadHandler,
      ThreadMessagesHandler,
      ShareDetailHandler,
    ],
  };
}
