// A product is listed once and then changed as a whole; cards take their price from here when they are sent.
import type { Decider } from '../../kernel/decider.js';
import type { DataOf } from '../../kernel/message.js';
import { Rejection } from '../../kernel/rejection.js';
import type { ProductCommand } from './product.commands.js';
import type { ProductEvent } from './product.events.js';

export type ProductState = DataOf<ProductEvent, 'ProductListed'> | undefined;
type Facts = NonNullable<ProductState>;

function facts({ productRef, name, price, available, sensitive }: Facts): Facts {
  return { productRef, name, price, available, sensitive };
}

function same(a: Facts, b: Facts): boolean {
  return (
    a.name === b.name &&
    a.price.amountMinor === b.price.amountMinor &&
    a.price.currency === b.price.currency &&
    a.available === b.available &&
    a.sensitive === b.sensitive &&
    a.productRef.category === b.productRef.category &&
    a.productRef.variantId === b.productRef.variantId
  );
}

export const productDecider: Decider<ProductCommand, ProductEvent, ProductState> = {
  category: 'product',
  initialState: undefined,
  decide: {
    /** Race: none that matters, a brand is never unregistered. */
    ListProduct: ({ data }, state) => {
      if (!data.brandRegistered) throw new Rejection('brand-not-found', 'list the products of a registered brand');
      if (!state) return [{ type: 'ProductListed', data: facts(data) }];
      if (state.productRef.brandId !== data.productRef.brandId || !same(state, data)) {
        throw new Rejection('product-exists', 'this product is listed already: change it instead');
      }
      return [];
    },
    ChangeProduct: ({ data }, state) => {
      if (!state || state.productRef.brandId !== data.productRef.brandId) {
        throw new Rejection('product-not-found', 'no such product of this brand');
      }
      return same(state, data) ? [] : [{ type: 'ProductChanged', data: facts(data) }];
    },
  },
  evolve: {
    ProductListed: (_, { data }) => data,
    ProductChanged: (_, { data }) => data,
  },
};
