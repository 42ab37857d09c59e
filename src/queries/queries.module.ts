// The read side for the app, as one module: what it needs is handed in.
import { type DynamicModule, Module } from '@nestjs/common';
import { CqrsModule } from '@nestjs/cqrs';
import { keyedHash } from '../kernel/ids.js';
import { Progress } from '../stores/documents/progress.js';
import { DocumentReader } from '../stores/documents/reader.js';
import { BrandIds } from './brand-ids.js';
import { FeedController, FeedHandler } from './feed.query.js';
import { FriendListHandler, FriendsController } from './friends.query.js';
import { InboxController, InboxHandler } from './inbox.query.js';
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
}

@Module({})
export class QueriesModule {}

export function queriesModule(options: QueriesOptions): DynamicModule {
  const reader = new DocumentReader(options.redis, options.shards);
  const readSide = new ReadSide(reader, new Progress(reader), options.logId, options.readWaitMsMax);
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
    ],
    providers: [
      { provide: ReadSide, useValue: readSide },
      { provide: BrandIds, useValue: new BrandIds(brandKey) },
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
