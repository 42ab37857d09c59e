// The rungs of a purchase intent: ask, put into the cart or take out again, check out.
import { Inject } from '@nestjs/common';
import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import type { z } from 'zod';
import type { IntentCommand } from '../../domain/intent/intent.commands.js';
import { type IntentDecider, type IntentState, knownRung } from '../../domain/intent/intent.decider.js';
import type { IntentEvent } from '../../domain/intent/intent.events.js';
import { EventStore, type Transacted } from '../../event-log/transact.js';
import type { Caller } from '../../http/request/caller.js';
import type { Written } from '../../http/request/written.js';
import { deriveId } from '../../kernel/ids.js';
import { CommandContexts, type IdentifiedContext } from '../command-context.js';
import { ProductRefs } from './product-refs.js';
import type { CartItem, CartRemoval, NewCheckout, Question } from './shopping.bodies.js';

/** The decider by the deployment's delays. */
export const INTENT_DECIDER = Symbol('INTENT_DECIDER');

export type IntentWish =
  | { readonly type: 'ask'; readonly productId: string; readonly question: z.infer<typeof Question> }
  | { readonly type: 'add'; readonly item: z.infer<typeof CartItem> }
  | { readonly type: 'remove'; readonly productId: string; readonly removal: z.infer<typeof CartRemoval> }
  | { readonly type: 'check-out'; readonly checkout: z.infer<typeof NewCheckout> };

export class IntentRequest extends Command<Written> {
  constructor(
    readonly caller: Caller,
    readonly wish: IntentWish,
  ) {
    super();
  }
}

interface By {
  readonly memberId: string;
  readonly sessionId: string | undefined;
  readonly context: IdentifiedContext;
}

type StartCheckout = Extract<IntentCommand, { type: 'StartCheckout' }>;
type RungCommand = Extract<IntentCommand, { type: 'AskAboutProduct' | 'AddToCart' | 'StartCheckout' }>;
const rungTypes = {
  AskAboutProduct: 'ProductAskedAbout',
  AddToCart: 'ProductAddedToCart',
  StartCheckout: 'CheckoutStarted',
} as const;

/** The rung as it is recorded: by this command, or before it under the same name. */
function recordedRung(command: RungCommand, { events, state }: Transacted<IntentEvent, IntentState>) {
  const type = rungTypes[command.type];
  const recorded = events.find((event) => event.type === type)?.data;
  const rung = (recorded ?? knownRung({ type, data: command.data }, state)) as
    | { readonly intentId: string; readonly cartId?: string; readonly questionId?: string }
    | undefined;
  return { intentId: rung?.intentId, cartId: rung?.cartId, questionId: rung?.questionId };
}

export function intentStream(memberId: string, productId: string): string {
  return `${memberId}_${productId}`;
}

@CommandHandler(IntentRequest)
export class IntentHandler implements ICommandHandler<IntentRequest> {
  constructor(
    private readonly store: EventStore,
    private readonly contexts: CommandContexts,
    private readonly products: ProductRefs,
    @Inject(INTENT_DECIDER) private readonly decider: IntentDecider,
  ) {}

  async execute({ caller, wish }: IntentRequest): Promise<Written> {
    const { context, member } = await this.contexts.byMember(caller);
    const by = { memberId: member.memberId, sessionId: caller.sessionId, context };
    switch (wish.type) {
      case 'ask':
        return this.ask(by, wish.productId, wish.question);
      case 'add':
        return this.add(by, wish.item);
      case 'remove':
        return this.remove(by, wish.productId, wish.removal);
      case 'check-out':
        return this.checkOut(by, wish.checkout);
    }
  }

  private async ask(by: By, productId: string, question: z.infer<typeof Question>): Promise<Written> {
    const { memberId, context } = by;
    const productRef = await this.products.byId(productId);
    const questionId = deriveId('question', context.commandId);
    const sessionId = question.sessionId ?? by.sessionId;
    const data = { ...question, sessionId, memberId, productRef, questionId };
    const command = { type: 'AskAboutProduct', data, now: context.occurredAt } as const;
    const done = await this.write(by, command);
    const rung = recordedRung(command, done);
    return { result: { intentId: rung.intentId, questionId: rung.questionId }, position: done.position };
  }

  private async add(by: By, item: z.infer<typeof CartItem>): Promise<Written> {
    const { memberId, context } = by;
    const productRef = await this.products.checked(item.productRef);
    const cartId = item.cartId ?? deriveId('cart', context.commandId);
    const data = { ...item, sessionId: item.sessionId ?? by.sessionId, memberId, productRef, cartId };
    const command = { type: 'AddToCart', data, now: context.occurredAt } as const;
    const done = await this.write(by, command);
    const rung = recordedRung(command, done);
    return { result: { intentId: rung.intentId, cartId: rung.cartId }, position: done.position };
  }

  private async remove(by: By, productId: string, removal: z.infer<typeof CartRemoval>): Promise<Written> {
    const { memberId, context } = by;
    const productRef = await this.products.byId(productId);
    const data = { ...removal, memberId, productRef };
    const { events, position } = await this.write(by, { type: 'RemoveFromCart', data, now: context.occurredAt });
    const removed = events.find((event) => event.type === 'ProductRemovedFromCart');
    return { result: { cartId: removal.cartId, removed: removed?.data.quantity ?? 0 }, position };
  }

  /** All items in one commit, where the log can. */
  private async checkOut(
    by: By,
    { items, checkoutId, cartId, ...circumstances }: z.infer<typeof NewCheckout>,
  ): Promise<Written> {
    const { memberId, context } = by;
    const id = checkoutId ?? deriveId('checkout', context.commandId);
    const step = {
      ...circumstances,
      sessionId: circumstances.sessionId ?? by.sessionId,
      memberId,
      checkoutId: id,
      cartId,
    };
    const byProduct = new Map<string, StartCheckout[]>();
    for (const item of await this.products.allChecked(items)) {
      const { productId } = item.productRef;
      const command: StartCheckout = { type: 'StartCheckout', data: { ...step, ...item }, now: context.occurredAt };
      byProduct.set(productId, [...(byProduct.get(productId) ?? []), command]);
    }
    const parts = [...byProduct].map(([productId, commands]) => ({
      decider: this.decider,
      id: intentStream(memberId, productId),
      commands,
      context,
    }));
    const done = await this.store.transactMany(parts as [(typeof parts)[number], ...typeof parts]);
    const intents = [...byProduct].map(([productId, [command]], index) => {
      const { intentId } = recordedRung(command as StartCheckout, done[index] as (typeof done)[number]);
      return { productId, intentId };
    });
    return { result: { checkoutId: id, intents }, position: newestPosition(done) };
  }

  private write({ memberId, context }: By, command: IntentCommand) {
    const id = intentStream(memberId, command.data.productRef.productId);
    return this.store.transact({ decider: this.decider, id, commands: [command], context });
  }
}

export function newestPosition(done: readonly { readonly position: bigint }[]): bigint {
  let newest = 0n;
  for (const { position } of done) if (position > newest) newest = position;
  return newest;
}
