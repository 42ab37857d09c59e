// What other answers show of a member, a brand or a product beside its id. Owner: the member, brand or product itself.
import type { z } from 'zod';
import type { brandEvents } from '../src/domain/brand/brand.events.js';
import { type memberEvents, type PrivacySettings, presetSettings } from '../src/domain/member/member.events.js';
import type { productEvents } from '../src/domain/product/product.events.js';
import type { AgeBand, Money, ProductRef } from '../src/domain/vocabulary.js';
import type { DocumentProjection } from '../src/kernel/projection.js';

type Member = { [Type in keyof typeof memberEvents]: z.infer<(typeof memberEvents)[Type]> };
type Brand = { [Type in keyof typeof brandEvents]: z.infer<(typeof brandEvents)[Type]> };
type Product = { [Type in keyof typeof productEvents]: z.infer<(typeof productEvents)[Type]> };

export interface MemberCard {
  readonly memberId: string;
  /** Absent when the person's key is gone. */
  readonly handle?: string | undefined;
  readonly displayName?: string | undefined;
  readonly country: string;
  readonly ageBand: z.infer<typeof AgeBand>;
  readonly settings: PrivacySettings;
}
export interface BrandCard {
  readonly brandId: string;
  readonly name: string;
}
export interface ProductCard {
  readonly productRef: ProductRef;
  readonly name: string;
  readonly price: Money;
  readonly available: boolean;
  readonly sensitive: boolean;
}

export const cardKeys = {
  member: (memberId: string) => `member:${memberId}`,
  brand: (brandId: string) => `brand:${brandId}`,
  product: (productId: string) => `product:${productId}`,
};

export const cards: DocumentProjection = {
  name: 'cards',
  version: 1,
  on: {
    MemberRegistered: {
      apply(event, view) {
        const { memberId, handle, displayName, country, ageBand } = event.data as Member['MemberRegistered'];
        if (!view.owns(memberId)) return;
        const settings = presetSettings[ageBand];
        const card: MemberCard = { memberId, handle, displayName, country, ageBand, settings };
        view.put(cardKeys.member(memberId), card);
      },
    },
    MemberProfileChanged: {
      reads: (event) => [{ doc: cardKeys.member((event.data as Member['MemberProfileChanged']).memberId) }],
      apply(event, view) {
        const { memberId, ...changed } = event.data as Member['MemberProfileChanged'];
        const card = view.get<MemberCard>(cardKeys.member(memberId));
        if (!card || !view.owns(memberId)) return;
        view.put(cardKeys.member(memberId), {
          ...card,
          ...Object.fromEntries(Object.entries(changed).filter(([, value]) => value !== undefined)),
        });
        view.notify(memberId, 'profile', memberId);
      },
    },
    PrivacySettingsChanged: {
      reads: (event) => [{ doc: cardKeys.member((event.data as Member['PrivacySettingsChanged']).memberId) }],
      apply(event, view) {
        const { memberId, settings } = event.data as Member['PrivacySettingsChanged'];
        const card = view.get<MemberCard>(cardKeys.member(memberId));
        if (card && view.owns(memberId)) view.put(cardKeys.member(memberId), { ...card, settings });
      },
    },
    BrandRegistered: {
      apply(event, view) {
        const { brandId, name } = event.data as Brand['BrandRegistered'];
        if (view.owns(brandId)) view.put(cardKeys.brand(brandId), { brandId, name } satisfies BrandCard);
      },
    },
    ProductListed: {
      apply(event, view) {
        const product = event.data as Product['ProductListed'];
        const { productId } = product.productRef;
        if (view.owns(productId)) view.put(cardKeys.product(productId), product satisfies ProductCard);
      },
    },
    ProductChanged: {
      apply(event, view) {
        const product = event.data as Product['ProductChanged'];
        const { productId } = product.productRef;
        if (view.owns(productId)) view.put(cardKeys.product(productId), product satisfies ProductCard);
      },
    },
  },
};
