// What may be asked of a product's stream, `product-<productId>`.
import type { CommandOf, DataOf } from '../../kernel/message.js';
import type { ProductEvent } from './product.events.js';

/** Look-up: the brand's stream has a BrandRegistered. */
interface BrandLookup {
  readonly brandRegistered: boolean;
}
export type ProductCommand = CommandOf<{
  ListProduct: DataOf<ProductEvent, 'ProductListed'> & BrandLookup;
  /** The product as it is from now on, whole. */
  ChangeProduct: DataOf<ProductEvent, 'ProductChanged'>;
}>;
