// Crawlers, built-in browsers and people, told apart by what they send.
import { describe, expect, it } from '@jest/globals';
import { isPrefetch, readReferrer, readUserAgent } from '../../src/domain/sharelink/user-agent.js';

const iphone = 'Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)';
const pixel =
  'Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/124.0 Mobile Safari/537.36';

describe('preview crawlers', () => {
  it.each([
    ['facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)', 'facebookexternalhit', undefined],
    ['WhatsApp/2.23.20.0', 'WhatsApp', 'whatsapp'],
    ['Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)', 'Slackbot', 'slack'],
    ['Twitterbot/1.0', 'Twitterbot', 'x'],
    ['TelegramBot (like TwitterBot)', 'TelegramBot', 'telegram'],
    ['Mozilla/5.0 (compatible; Discordbot/2.0; +https://discordapp.com)', 'Discordbot', 'discord'],
    [
      'LinkedInBot/1.0 (compatible; Mozilla/5.0; Apache-HttpClient +http://www.linkedin.com)',
      'LinkedInBot',
      'linkedin',
    ],
    ['Mozilla/5.0 (Windows NT 6.1; WOW64) SkypeUriPreview Preview/0.5', 'SkypeUriPreview', 'teams'],
    [`${iphone} Version/17.4 Safari/605.1.15 (Applebot/0.1; +http://www.apple.com/go/applebot)`, 'Applebot', undefined],
    ['Mozilla/5.0 (compatible; Pinterestbot/1.0; +http://www.pinterest.com/bot.html)', 'Pinterestbot', 'pinterest'],
    ['Mozilla/5.0 (compatible; redditbot/1.0; +http://www.reddit.com/feedback)', 'redditbot', 'reddit'],
    ['Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)', 'Googlebot', undefined],
    ['Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)', 'bingbot', undefined],
    ['curl/8.5.0', 'Script', undefined],
    ['SomeNewBot/0.1', 'OtherBot', undefined],
  ])('%s', (header, uaFamily, destination) => {
    const facts = readUserAgent(header);
    expect(facts.isPreviewBot).toBe(true);
    expect(facts).toMatchObject({ uaFamily });
    expect(facts.destination).toBe(destination);
  });
  it('nobody browses without a User-Agent', () => {
    expect(readUserAgent(undefined)).toMatchObject({ isPreviewBot: true, uaFamily: 'None' });
    expect(readUserAgent(' ').isPreviewBot).toBe(true);
  });
});

describe('people', () => {
  it.each([
    [`${iphone} Version/17.4 Mobile/15E148 Safari/604.1`, 'Safari', 'iOS', undefined],
    [pixel, 'Chrome', 'Android', undefined],
    ['Mozilla/5.0 (X11; Linux x86_64; rv:125.0) Gecko/20100101 Firefox/125.0', 'Firefox', 'Linux', undefined],
    [
      'Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/124.0 Safari/537.36 Edg/124.0',
      'Edge',
      'Windows',
      undefined,
    ],
    [
      'Mozilla/5.0 (Linux; Android 13; CUBOT X50) AppleWebKit/537.36 Chrome/120.0 Mobile Safari/537.36',
      'Chrome',
      'Android',
      undefined,
    ],
    [`${iphone} Mobile/15E148 Instagram 330.0.0.0`, 'Other', 'iOS', 'Instagram'],
    [`${iphone} Mobile/15E148 [FBAN/FBIOS;FBAV/460.0]`, 'Other', 'iOS', 'Facebook'],
    [`${pixel} [FB_IAB/Orca-Android;FBAV/450.0]`, 'Chrome', 'Android', 'Messenger'],
    [`${iphone} Mobile/15E148 Snapchat/12.80`, 'Other', 'iOS', 'Snapchat'],
  ])('%s', (header, uaFamily, osFamily, inAppBrowser) => {
    expect(readUserAgent(header)).toMatchObject({ isPreviewBot: false, uaFamily, osFamily });
    expect(readUserAgent(header).inAppBrowser).toBe(inAppBrowser);
  });
  it('a very long header costs no more than a short one', () => {
    expect(readUserAgent(`${'a '.repeat(1_000_000)}Twitterbot`).isPreviewBot).toBe(false);
  });
});

describe('where from', () => {
  it.each([
    [undefined, 'none'],
    ['', 'none'],
    ['https://web.whatsapp.com/', 'messaging'],
    ['android-app://org.telegram.messenger/', 'messaging'],
    ['https://t.co/abc', 'social'],
    ['https://l.instagram.com/?u=x', 'social'],
    ['https://www.google.co.uk/', 'search'],
    ['https://mail.google.com/mail/u/0/', 'email'],
    ['https://go.example/feed', 'own'],
    ['https://notgoogle.example/', 'other'],
    ['no address at all', 'other'],
  ])('%s: %s', (header, expected) => expect(readReferrer(header, ['go.example'])).toBe(expected));
});

describe('a prefetch', () => {
  it('says so itself', () => {
    expect(isPrefetch({ 'sec-purpose': 'prefetch;prerender' })).toBe(true);
    expect(isPrefetch({ purpose: 'prefetch' })).toBe(true);
    expect(isPrefetch({ 'x-moz': 'prefetch' })).toBe(true);
    expect(isPrefetch({})).toBe(false);
  });
});
