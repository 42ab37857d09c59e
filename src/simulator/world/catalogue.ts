// What people look at (clips, with heavy-tailed popularity) and what they may buy (brands and their products).
import type { Profile } from '../profile.js';
import { type Random, RankTable, zipfWeights } from '../random.js';

export interface Clip {
  readonly kind: 'video' | 'photo';
  readonly contentId: string;
  readonly creatorId: string;
  readonly category: string;
}
export interface Product {
  readonly brand: Brand;
  readonly productId: string;
  readonly name: string;
  readonly category: string;
  readonly priceMinor: number;
  readonly sensitive: boolean;
}
export interface Brand {
  readonly brandId: string;
  readonly name: string;
  readonly timeZone: string;
  readonly currency: string;
  readonly hasBot: boolean;
  /** Median of the human first response, minutes. */
  readonly responseMedianMin: number;
  readonly role: 'large' | 'small' | 'sensitive' | 'plain';
  readonly products: readonly Product[];
}

const clipCategories = { comedy: 24, music: 18, sport: 14, food: 14, craft: 10, travel: 10, style: 10 };
const brandTable = [
  ['aurelia', 'Aurelia Shoes', 'large', 'EUR', 9, true],
  ['tansy', 'Tansy Ceramics', 'small', 'EUR', 35, false],
  ['calyx', 'Calyx Health', 'sensitive', 'EUR', 18, true],
  ['norra', 'Norra Outdoor', 'plain', 'EUR', 14, true],
  ['pivot', 'Pivot Audio', 'plain', 'USD', 22, true],
  ['lumen', 'Lumen Home', 'plain', 'EUR', 48, false],
  ['marlow', 'Marlow Books', 'plain', 'GBP', 70, false],
  ['ostra', 'Ostra Kitchen', 'plain', 'EUR', 11, true],
  ['quill', 'Quill Paper', 'plain', 'EUR', 120, false],
  ['sorrel', 'Sorrel Garden', 'plain', 'EUR', 26, false],
] as const;
const productCategories = ['shoes', 'home', 'audio', 'books', 'kitchen', 'garden', 'style'];
const productsPerBrand = 8;

export class Catalogue {
  readonly clips: readonly Clip[];
  readonly brands: readonly Brand[];
  readonly products: readonly Product[];
  readonly #clipRanks: RankTable;
  readonly #productRanks: RankTable;

  constructor(profile: Profile, random: Random) {
    const draw = random.stream('catalogue');
    this.clips = Array.from({ length: profile.clips }, (_, index) => ({
      kind: draw.chance(0.88) ? ('video' as const) : ('photo' as const),
      contentId: `clip-${String(index + 1).padStart(4, '0')}`,
      creatorId: `creator-${String(1 + Math.floor(profile.creators * draw.float() ** 2)).padStart(3, '0')}`,
      category: draw.weighted(clipCategories),
    }));
    this.brands = brandTable.map((row) => makeBrand(row, draw));
    this.products = draw.shuffled(
      this.brands
        .filter((brand) => brand.role === 'plain' || brand.role === 'sensitive')
        .flatMap((brand) => brand.products),
    );
    this.#clipRanks = new RankTable(zipfWeights(this.clips.length, 0.9));
    this.#productRanks = new RankTable(zipfWeights(this.products.length, 1.1));
  }

  drawClip(draw: Random): Clip {
    return this.clips[this.#clipRanks.draw(draw)] as Clip;
  }
  /** Of the brands that are not planted. */
  drawProduct(draw: Random): Product {
    return this.products[this.#productRanks.draw(draw)] as Product;
  }
  planted(role: 'large' | 'small'): Brand {
    return this.brands.find((brand) => brand.role === role) as Brand;
  }
}

function makeBrand(
  [key, name, role, currency, responseMedianMin, hasBot]: (typeof brandTable)[number],
  draw: Random,
): Brand {
  const products: Product[] = [];
  const brand: Brand = {
    brandId: `brand-${key}`,
    name,
    timeZone: currency === 'USD' ? 'America/New_York' : 'Europe/Vienna',
    currency,
    hasBot,
    responseMedianMin,
    role,
    products,
  };
  const category = draw.pick(productCategories);
  for (let number = 1; number <= productsPerBrand; number += 1) {
    products.push({
      brand,
      productId: `${key}-${number}`,
      name: `${name} no. ${number}`,
      category,
      priceMinor: 100 * Math.round(draw.logNormal(39, 0.6)) + 90,
      sensitive: role === 'sensitive',
    });
  }
  return brand;
}

export function productRef(product: Product): { productId: string; brandId: string; category: string } {
  return { productId: product.productId, brandId: product.brand.brandId, category: product.category };
}
export function contentRef(clip: Clip): { kind: string; contentId: string; creatorId: string; category: string } {
  return { kind: clip.kind, contentId: clip.contentId, creatorId: clip.creatorId, category: clip.category };
}
