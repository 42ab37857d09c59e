// The write side as one module: what it needs is handed in.
import { type DynamicModule, Module } from '@nestjs/common';
import { CqrsModule } from '@nestjs/cqrs';
import type { IntentDecider } from '../domain/intent/intent.decider.js';
import { EventStore } from '../event-log/transact.js';
import { MemberTokens } from '../http/access/member-token.js';
import type { Clock } from '../kernel/clock.js';
import { CatalogueController } from './catalogue/catalogue.controller.js';
import { CatalogueHandler } from './catalogue/catalogue.handler.js';
import { CLOCK, ClockController, TIMER_HAND, type TimerHand } from './clock/clock.controller.js';
import { ClockRecord } from './clock/clock-record.js';
import { ANALYTICS_BY_DEFAULT, COMMAND_SECRETS, CommandContexts, type CommandSecrets } from './command-context.js';
import { ApiKeyController } from './keys/api-key.controller.js';
import { ApiKeyStore } from './keys/api-key.store.js';
import { Lookups } from './lookups.js';
import { MomentController } from './moments/moment.controller.js';
import { MomentHandler } from './moments/moment.handler.js';
import { BATCH_ITEMS_MAX, ObservationController } from './observations/observation.controller.js';
import { ObservationHandler } from './observations/observation.handler.js';
import { ObservationWriter } from './observations/observation-writer.js';
import { FRIEND_COUNTS, type FriendCounts } from './people/friend-counts.js';
import { FriendshipController } from './people/friendship.controller.js';
import { FriendshipHandler } from './people/friendship.handler.js';
import { MemberController } from './people/member.controller.js';
import { MemberHandler } from './people/member.handler.js';
import { LinkController } from './sharing/link.controller.js';
import { LINK_OPTIONS, LinkHandler, type LinkOptions } from './sharing/link.handler.js';
import { ShareController } from './sharing/share.controller.js';
import { ShareHandler } from './sharing/share.handler.js';
import { ShareDelivery } from './sharing/share-delivery.js';
import { ShareOpens } from './sharing/share-opens.js';
import { SALT_SHELF, type SaltShelf, VisitorNames } from './sharing/visitor-names.js';
import { INTENT_DECIDER, IntentHandler } from './shopping/intent.handler.js';
import { OrderHandler } from './shopping/order.handler.js';
import { ProductRefs } from './shopping/product-refs.js';
import { ShoppingController } from './shopping/shopping.controller.js';
import { BrandConversationController } from './talk/brand-conversation.controller.js';
import { ConversationController } from './talk/conversation.controller.js';
import { ConversationHandler } from './talk/conversation.handler.js';
import { MessageHandler } from './talk/message.handler.js';
import { MessageParts } from './talk/message-parts.js';

export interface CommandsOptions {
  readonly store: EventStore;
  readonly secrets: CommandSecrets;
  readonly clock: Clock;
  readonly clockRecord: ClockRecord;
  readonly keys: ApiKeyStore;
  readonly tokens: MemberTokens;
  readonly observations: ObservationWriter;
  readonly batchItemsMax: number;
  readonly analyticsByDefault: boolean;
  readonly links: LinkOptions;
  readonly timers: TimerHand;
  readonly friendCounts: FriendCounts;
  readonly intentDecider: IntentDecider;
  readonly saltShelf: SaltShelf;
}

@Module({})
export class CommandsModule {}

export function commandsModule(options: CommandsOptions): DynamicModule {
  return {
    module: CommandsModule,
    imports: [CqrsModule],
    controllers: [
      MemberController,
      FriendshipController,
      MomentController,
      ConversationController,
      BrandConversationController,
      CatalogueController,
      ShareController,
      LinkController,
      ShoppingController,
      ObservationController,
      ClockController,
      ApiKeyController,
    ],
    providers: [
      { provide: EventStore, useValue: options.store },
      { provide: COMMAND_SECRETS, useValue: options.secrets },
      { provide: CLOCK, useValue: options.clock },
      { provide: ClockRecord, useValue: options.clockRecord },
      { provide: ApiKeyStore, useValue: options.keys },
      { provide: MemberTokens, useValue: options.tokens },
      { provide: ObservationWriter, useValue: options.observations },
      { provide: ANALYTICS_BY_DEFAULT, useValue: options.analyticsByDefault },
      { provide: BATCH_ITEMS_MAX, useValue: options.batchItemsMax },
      { provide: LINK_OPTIONS, useValue: options.links },
      { provide: TIMER_HAND, useValue: options.timers },
      { provide: FRIEND_COUNTS, useValue: options.friendCounts },
      { provide: INTENT_DECIDER, useValue: options.intentDecider },
      { provide: SALT_SHELF, useValue: options.saltShelf },
      Lookups,
      CommandContexts,
      ShareOpens,
      MessageParts,
      MemberHandler,
      FriendshipHandler,
      MomentHandler,
      ConversationHandler,
      MessageHandler,
      CatalogueHandler,
      ObservationHandler,
      ShareDelivery,
      ShareHandler,
      VisitorNames,
      LinkHandler,
      ProductRefs,
      IntentHandler,
      OrderHandler,
    ],
  };
}
