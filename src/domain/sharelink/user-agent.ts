// What a User-Agent and a Referer tell of a link's open: a preview crawler or a person, in which browser, from where.
// Coarse on purpose: families only, nothing that would tell one device from another.
import type { z } from 'zod';
import type { OffPlatformDestination } from '../vocabulary.js';
import type { ReferrerClass } from './sharelink.events.js';

export interface UserAgentFacts {
  readonly isPreviewBot: boolean;
  readonly uaFamily: string;
  readonly osFamily: string;
  /** The app whose built-in browser it is. */
  readonly inAppBrowser?: string | undefined;
  /** Where the link must have been sent to, when the crawler or the in-app browser is one place's own. */
  readonly destination?: z.infer<typeof OffPlatformDestination> | undefined;
}

type Destination = z.infer<typeof OffPlatformDestination>;

/** Crawlers that fetch a link to preview or index it. Matched before browsers: many of them claim to be one. */
const crawlers: readonly (readonly [RegExp, string, Destination?])[] = [
  [/facebookexternalhit|facebookcatalog|facebot|meta-externalagent|meta-externalfetcher/i, 'facebookexternalhit'],
  [/^WhatsApp\/|\bWhatsApp\/\d/, 'WhatsApp', 'whatsapp'],
  [/Slackbot|Slack-ImgProxy/i, 'Slackbot', 'slack'],
  // It says `TelegramBot (like TwitterBot)`.
  [/TelegramBot/i, 'TelegramBot', 'telegram'],
  [/Twitterbot/i, 'Twitterbot', 'x'],
  [/Discordbot/i, 'Discordbot', 'discord'],
  [/LinkedInBot/i, 'LinkedInBot', 'linkedin'],
  [/SkypeUriPreview/i, 'SkypeUriPreview', 'teams'],
  [/Applebot/i, 'Applebot'],
  [/Pinterestbot|Pinterest\/\d/i, 'Pinterestbot', 'pinterest'],
  [/redditbot/i, 'redditbot', 'reddit'],
  [/Snap URL Preview|SnapchatAds|Snapchat-?bot/i, 'SnapchatPreview', 'snapchat'],
  [/Viber\/.*preview|ViberBot/i, 'Viber', 'viber'],
  [/line-poker|LineBot/i, 'line-poker', 'line'],
  [/kakaotalk-scrap/i, 'kakaotalk-scrap', 'kakaotalk'],
  [/vkShare/i, 'vkShare', 'vk'],
  [/Tumblr\/\d/i, 'Tumblr', 'tumblr'],
  [/Mastodon\/\d|Akkoma|Pleroma|Misskey/i, 'Mastodon', 'mastodon'],
  [/Bluesky Cardyb|cardyb/i, 'Cardyb', 'bluesky'],
  [/Iframely|Embedly|outbrain|Synapse.*bot|Google-PageRenderer/i, 'Preview'],
  [/Googlebot|GoogleOther|AdsBot-Google|Mediapartners-Google|FeedFetcher-Google|Storebot-Google/i, 'Googlebot'],
  [/bingbot|BingPreview|msnbot|adidxbot/i, 'bingbot'],
  [/YandexBot|YandexMobileBot|Baiduspider|DuckDuckBot|Yahoo! Slurp|PetalBot|SeznamBot|Sogou/i, 'SearchBot'],
  [/GPTBot|ChatGPT-User|OAI-SearchBot|ClaudeBot|PerplexityBot|CCBot|Bytespider|Amazonbot/i, 'AiCrawler'],
  [/AhrefsBot|SemrushBot|MJ12bot|DotBot|UptimeRobot|Pingdom|HeadlessChrome|PhantomJS/i, 'Monitor'],
  [/\b(?:curl|wget|python-requests|python-urllib|Go-http-client|okhttp|axios|node-fetch|undici|Java)\b/i, 'Script'],
  [/(?<!cu)bot\b|crawler|spider|preview|scraper/i, 'OtherBot'],
];

/** Browsers built into apps; the app is where the link was tapped. */
const inAppBrowsers: readonly (readonly [RegExp, string, Destination?])[] = [
  [/\bFBAN\/Messenger|FB_IAB\/(?:MESSENGER|Orca)/i, 'Messenger', 'messenger'],
  [/\bFBA[NV]\/|FB_IAB\//i, 'Facebook', 'facebook'],
  [/\bInstagram\b/, 'Instagram'],
  [/\bSnapchat\//, 'Snapchat', 'snapchat'],
  [/MicroMessenger/i, 'WeChat', 'wechat'],
  [/\bLine\//, 'LINE', 'line'],
  [/KAKAOTALK/i, 'KakaoTalk', 'kakaotalk'],
  [/\bTwitter(?: for|Android)|TwitteriOS/i, 'X', 'x'],
  [/\[Pinterest\/|Pinterest for/i, 'Pinterest', 'pinterest'],
  [/LinkedInApp/i, 'LinkedIn', 'linkedin'],
  [/Reddit\/(?:Version|\d)/i, 'Reddit', 'reddit'],
  [/musical_ly|BytedanceWebview|TikTok/i, 'TikTok'],
];

const browsers: readonly (readonly [RegExp, string])[] = [
  [/\bEdgA?(?:iOS)?\//, 'Edge'],
  [/\bOPR\/|Opera/, 'Opera'],
  [/SamsungBrowser\//, 'Samsung Internet'],
  [/Firefox\/|FxiOS\//, 'Firefox'],
  [/Chrome\/|CriOS\//, 'Chrome'],
  [/Safari\//, 'Safari'],
];

const systems: readonly (readonly [RegExp, string])[] = [
  [/iPhone|iPad|iPod|CriOS|FxiOS/, 'iOS'],
  [/Android/, 'Android'],
  [/Windows/, 'Windows'],
  [/Mac OS X|Macintosh/, 'macOS'],
  [/CrOS/, 'ChromeOS'],
  [/Linux|X11/, 'Linux'],
];

/** Longer headers are cut: no pattern needs more, and nobody's header may cost much. */
const headerLengthMax = 1_024;

/** An absent User-Agent is no person's browser. */
export function readUserAgent(header: string | undefined): UserAgentFacts {
  const text = (header ?? '').slice(0, headerLengthMax);
  const osFamily = systems.find(([pattern]) => pattern.test(text))?.[1] ?? 'Other';
  if (text.trim() === '') return { isPreviewBot: true, uaFamily: 'None', osFamily };
  const inApp = inAppBrowsers.find(([pattern]) => pattern.test(text));
  const crawler = crawlers.find(([pattern]) => pattern.test(text));
  if (crawler) return { isPreviewBot: true, uaFamily: crawler[1], osFamily, destination: crawler[2] };
  const uaFamily = browsers.find(([pattern]) => pattern.test(text))?.[1] ?? 'Other';
  return { isPreviewBot: false, uaFamily, osFamily, inAppBrowser: inApp?.[1], destination: inApp?.[2] };
}

const referrers: readonly (readonly [RegExp, z.infer<typeof ReferrerClass>])[] = [
  [/(?:^|\.)(?:mail\.google|mail\.yahoo|outlook\.live|outlook\.office|mail\.proton|mail\.aol)\.[a-z.]+$/, 'email'],
  [
    /(?:^|\.)(?:web\.whatsapp|messenger|web\.telegram|telegram|discord|slack|teams\.microsoft|line)\.[a-z.]+$/,
    'messaging',
  ],
  [/(?:^|\.)(?:t\.me|wa\.me)$/, 'messaging'],
  [
    /(?:^|\.)(?:facebook|instagram|twitter|threads|linkedin|pinterest|reddit|tumblr|tiktok|vk|youtube|snapchat)\.[a-z.]+$/,
    'social',
  ],
  [/(?:^|\.)(?:t\.co|x\.com|lnkd\.in|bsky\.app|mastodon\.social|youtu\.be)$/, 'social'],
  [/(?:^|\.)(?:google|bing|duckduckgo|yahoo|yandex|baidu|ecosia|qwant)\.[a-z.]+$/, 'search'],
];

/** Only the host is looked at, and only its class is kept. `ownHosts`: the service's own names. */
export function readReferrer(header: string | undefined, ownHosts: readonly string[]): z.infer<typeof ReferrerClass> {
  const text = (header ?? '').slice(0, headerLengthMax).trim();
  if (text === '') return 'none';
  // An Android app names itself as `android-app://<package>`.
  if (text.startsWith('android-app://'))
    return /whatsapp|telegram|messenger|discord|slack/.test(text) ? 'messaging' : 'other';
  if (!URL.canParse(text)) return 'other';
  const host = new URL(text).hostname.toLowerCase();
  if (ownHosts.includes(host)) return 'own';
  return referrers.find(([pattern]) => pattern.test(host))?.[1] ?? 'other';
}

/** Whether the request itself says that nobody is looking (Fetch standard's Sec-Purpose and its older spellings). */
export function isPrefetch(headers: Readonly<Record<string, string | undefined>>): boolean {
  const purpose = [headers['sec-purpose'], headers['purpose'], headers['x-purpose'], headers['x-moz']];
  return purpose.some((value) => value !== undefined && /prefetch|prerender|preview/i.test(value));
}
