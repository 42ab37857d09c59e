// What may be asked of one person's intent for one product, `intent-<memberId>_<productId>`. The journey's id
// (intentId) is the decider's: no command carries it.
import type { CommandOf, DataOf } from '../../kernel/message.js';
import type { ProductRef } from '../vocabulary.js';
import type { IntentEvent } from './intent.events.js';

type Step<Type extends IntentEvent['type']> = Omit<DataOf<IntentEvent, Type>, 'intentId' | 'previousIntentId'>;
interface Who {
  readonly memberId: string;
  readonly productRef: ProductRef;
}

export type IntentCommand = CommandOf<{
  AskAboutProduct: Step<'ProductAskedAbout'>;
  AddToCart: Step<'ProductAddedToCart'>;
  /** What is not in the cart cannot be taken out: then nothing happens. */
  RemoveFromCart: Step<'ProductRemovedFromCart'>;
  StartCheckout: Step<'CheckoutStarted'>;
  /** An order holds the product. */
  CloseIntent: Who & { readonly orderId: string };
  /** The last ProductViewed had no further rung for too long; views are observations, so the evidence comes along. */
  AbandonBrowse: Who & { readonly lastViewedAt: string };
}>;
