/*!
 * neverafk's chat widget: one file, no dependency, no request but to its own server.
 *   <script async src=".../embed.js" data-creator-id="SLUG"></script>   a button in a corner of the page
 *   <neverafk-chat creator-id="SLUG"></neverafk-chat>                   inline (the script is still needed)
 * A shadow root with a constructed style sheet: a strict CSP and the page's own CSS leave it alone.
 * Answers become DOM nodes, never HTML.
 */
(() => {
  'use strict';

  const TAG = 'neverafk-chat';
  const SVG = 'http://www.w3.org/2000/svg';
  const DAY = 864e5;
  // The browser's own, where it has them.
  const Ear = window.SpeechRecognition || window.webkitSpeechRecognition, voice = window.speechSynthesis;
  const script = document.currentScript || document.querySelector('script[src*="embed.js"]');
  const home = script && script.src ? new URL('.', script.src).href : location.origin + '/';

  // English; the server sends the words of other languages (words.toml) with the creator's looks. # stands for a number.

  const WORDS = {
    title: 'Ask the course',
    open: 'Open the chat',
    close: 'Close the chat',
    fresh: 'New conversation',
    welcome: 'Hello! Ask me about this course: I answer from its material and show you where it says so.',
    hint: 'Your question…',
    send: 'Send',
    stop: 'Stop',
    wait: 'Looking through the course…',
    sources: 'Sources',
    page: 'page #',
    slide: 'slide #',
    see: 'Open the source',
    busy: 'Busy. Trying again in # s…',
    offline: 'You are offline. Your question is kept and goes out when you are back.',
    failed: 'The answer did not arrive. Your question is kept.',
    retry: 'Try again',
    stopped: 'Stopped.',
    weak: 'Not confirmed by the course',
    you: 'You',
    answer: 'Answer',
    person: 'Talk to a person',
    mail: 'Your e-mail',
    called: 'A person will answer you, here or by e-mail.',
    good: 'Helpful',
    poor: 'Not helpful',
    why: 'What was wrong with it?',
    wrong: 'It is wrong',
    incomplete: 'Something is missing',
    unclear: 'Hard to understand',
    off_topic: 'It answers another question',
    other: 'Something else',
    more: 'In your words, if you like',
    thanks: 'Thank you.',
    aloud: 'Read aloud',
    dictate: 'Dictate',
    news: '# new',
    by: 'Powered by #',
  };
  const RTL = /^(ar|he|fa|ur)\b/i;

  const CSS = `
:host{display:block;height:560px;min-height:320px}
:host([hidden]){display:none}
:host([floating]){all:initial!important;display:contents!important}
[hidden]{display:none!important}
*,::before,::after{box-sizing:border-box}
.w{all:initial;display:block;height:100%;color:var(--fg);font:var(--size)/1.5 var(--font);
--font:system-ui,sans-serif;--size:15px;--radius:16px;--width:390px;--height:640px;
--fg:#1b1f24;--dim:#59626e;--bg:#fff;--low:#f3f4f6;--line:#dce0e5;--edge:#848d99;--bad:#b3261e;overflow-wrap:anywhere;text-align:start;-webkit-text-size-adjust:100%}
.w[data-dark]{--fg:#e9ebee;--dim:#a6aeb9;--bg:#171a1e;--low:#23272d;--line:#363c44;--edge:#78818d;--bad:#ffb4ab;color-scheme:dark}
button,textarea,input{font:inherit;color:inherit;margin:0}
input{flex:1 1 170px;min-width:0;padding:4px 12px;border:1px solid var(--edge);border-radius:16px;background:var(--bg)}
.tip form{flex:1;flex-wrap:wrap;padding:0;border:0}.tip form span{flex-basis:100%}
button{cursor:pointer;border:0;background:none;padding:0}
button:disabled{opacity:.45;cursor:default}
:focus-visible{outline:2px solid var(--ink);outline-offset:2px}
.log:focus-visible{outline-offset:-2px}.panel{outline:0}
svg{width:20px;height:20px;fill:none;stroke:currentColor;stroke-width:2;stroke-linecap:round;stroke-linejoin:round;display:block}
.sr{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}
.launch{position:fixed;z-index:2147483646;width:56px;height:56px;border-radius:50%;background:var(--accent);color:var(--on);display:grid;place-items:center;box-shadow:0 1px 3px #0004,0 6px 20px #0003}
.n{position:absolute;top:-4px;inset-inline-end:-4px;min-width:22px;padding:0 6px;border-radius:11px;background:var(--bad);color:var(--bg);font-size:13px;line-height:22px;text-align:center}
.launch:focus-visible{outline:3px solid var(--fg);box-shadow:0 0 0 3px var(--bg)}
.launch svg{width:26px;height:26px}
.panel{display:flex;flex-direction:column;height:100%;background:var(--bg);border:1px solid var(--line);border-radius:var(--radius);overflow:hidden;position:relative}
[data-position] .panel{position:fixed;z-index:2147483647;width:var(--width);max-width:calc(100vw - 32px);height:var(--height);max-height:calc(100vh - 112px);box-shadow:0 2px 6px #0002,0 16px 48px #0004;animation:rise .18s ease-out}
[data-position|=bottom] .launch{bottom:calc(20px + env(safe-area-inset-bottom))}[data-position|=bottom] .panel{bottom:calc(88px + env(safe-area-inset-bottom))}
[data-position|=top] .launch{top:20px}[data-position|=top] .panel{top:88px}
[data-position$=right] :is(.launch,.panel){right:20px}[data-position$=left] :is(.launch,.panel){left:20px}
.top{display:flex;align-items:center;gap:10px;padding:12px 10px 12px 14px;border-bottom:1px solid var(--line)}
.face{width:34px;height:34px;border-radius:50%;background:var(--accent);color:var(--on);display:grid;place-items:center;flex:none;overflow:hidden}
img{width:100%;height:100%;object-fit:cover;display:block;border-radius:inherit}
.name{font-weight:650;flex:1;line-height:1.3}
.icon{width:36px;height:36px;border-radius:9px;display:grid;place-items:center;color:var(--dim);flex:none}
.icon:hover{background:var(--low);color:var(--fg)}
.poor svg{transform:scaleY(-1)}[aria-pressed=true]{color:var(--ink)}
.log{flex:1;overflow-y:auto;overscroll-behavior:contain;padding:16px 14px;display:flex;flex-direction:column;gap:14px;scrollbar-width:thin}
.m{max-width:100%}
.you{align-self:flex-end;max-width:86%;background:var(--accent);color:var(--on);padding:8px 13px;border-radius:16px;border-end-end-radius:4px;white-space:pre-wrap}
p,ul,ol,pre,blockquote{margin:0 0 8px}.text>:last-child{margin-bottom:0}
p,li{white-space:pre-wrap}
ul,ol{padding-inline-start:22px}
code{font:13px/1.5 ui-monospace,monospace;background:var(--low);border-radius:4px;padding:1px 4px}
pre{background:var(--low);border-radius:8px;padding:9px 11px;overflow-x:auto}pre code{padding:0;background:none}
a{color:var(--ink)}
.weak{text-decoration:underline dotted var(--edge);text-underline-offset:3px}
.chip{font-size:12px;font-weight:650;line-height:18px;min-width:20px;height:20px;padding:0 5px;margin:0 1px;border-radius:10px;background:var(--tint);color:var(--ink);border:1px solid transparent;vertical-align:1px}
.chip:hover,.chip[aria-expanded=true]{border-color:currentColor}
.sub{font-size:12.5px;color:var(--dim);margin:10px 0 6px}
.src{border:1px solid var(--line);border-radius:10px;margin-top:6px;overflow:hidden}
.src>button{display:flex;gap:8px;align-items:center;width:100%;text-align:start;padding:6px 10px 6px 6px;font-size:13.5px;min-height:34px}
.src>button:hover{background:var(--low)}
.t{flex:1;min-width:0;line-height:1.35}
.t *{display:block;overflow:hidden;text-overflow:ellipsis;white-space:nowrap}
small{font-size:12.5px;color:var(--dim)}
.src svg{width:14px;height:14px;color:var(--dim)}
.src [aria-expanded=true] svg{transform:rotate(180deg)}
.q{padding:2px 12px 11px;font-size:13.5px}
blockquote{border-inline-start:3px solid var(--accent);padding-inline-start:10px;color:var(--fg);white-space:pre-line;max-height:220px;overflow-y:auto}
.ev{border-inline-start:3px solid var(--line);padding-inline-start:10px;margin-top:8px;font-size:13.5px}
.ev div{display:-webkit-box;-webkit-line-clamp:3;-webkit-box-orient:vertical;overflow:hidden}
.dots{display:flex;gap:8px;align-items:center;color:var(--dim);font-size:13.5px}
.dots i{width:6px;height:6px;border-radius:50%;background:currentColor;animation:beat 1.2s infinite}
.dots i:nth-child(2){animation-delay:.15s;margin:0 -4px}.dots i:nth-child(3){animation-delay:.3s}
.tip{display:flex;flex-wrap:wrap;gap:8px;align-items:center;margin-top:8px;padding:8px 11px;border-radius:10px;background:var(--low);font-size:13.5px}
.tip.bad{border:1px solid var(--bad)}
.tip span{flex:1 1 150px}.tip span::first-letter{text-transform:uppercase}
.pill{border:1px solid var(--edge);border-radius:16px;padding:5px 12px;font-size:13.5px;color:var(--ink);text-align:start}
.pill:hover,.pill[aria-pressed=true]{background:var(--tint);border-color:currentColor}
.row{display:flex;flex-wrap:wrap;gap:8px;margin-top:12px}
.bar{padding:7px 14px;font-size:13px;background:var(--low);border-top:1px solid var(--line)}
.by{padding:0 12px 8px;font-size:12px;text-align:center}.by a{color:var(--dim)}
form{display:flex;gap:8px;align-items:flex-end;padding:10px 12px 12px;border-top:1px solid var(--line)}
textarea{flex:1;min-width:0;resize:none;height:42px;max-height:140px;padding:9px 13px;border:1px solid var(--edge);border-radius:12px;background:var(--bg);color:var(--fg);line-height:22px;unicode-bidi:plaintext}
textarea::placeholder{color:var(--dim);opacity:1}
textarea:focus{outline:2px solid var(--ink);outline-offset:-1px;border-color:transparent}
.go{width:42px;height:42px;border-radius:12px;background:var(--accent);color:var(--on);display:grid;place-items:center;flex:none}
[dir=rtl] .go svg{transform:scaleX(-1)}
@keyframes beat{0%,60%,100%{opacity:.3}30%{opacity:1}}
@keyframes rise{from{opacity:0;transform:translateY(8px)}}
@media(max-width:520px),(max-height:480px){[data-position] .panel{inset:var(--vt,0) 0 auto!important;width:100%;max-width:none;height:var(--vh,100dvh);max-height:none;border:0;border-radius:0}
textarea{font-size:16px}form{padding-bottom:calc(12px + env(safe-area-inset-bottom))}}
@media(prefers-reduced-motion:reduce){*{animation:none!important;transition:none!important}}
@media print{[data-position]{display:none}}`;

  const sheet = new CSSStyleSheet();
  sheet.replaceSync(CSS);

  const ICONS = {
    chat: 'M21 12a8 8 0 0 1-8 8H4l1.8-3.2A8 8 0 1 1 21 12ZM9 12h.01M13 12h.01M17 12h.01',
    close: 'M6 6l12 12M18 6L6 18',
    fresh: 'M12 5v14M5 12h14',
    send: 'M4 12h15M13 6l6 6-6 6',
    stop: 'M7 7h10v10H7z',
    more: 'M6 9l6 6 6-6',
    good: 'M7 11l4-8c3 0 2 4 1 7h7l-2 10H4v-9z',
    aloud: 'M5 9v6h4l5 4V5L9 9zM17 9a4 4 0 0 1 0 6',
    mic: 'M12 3a3 3 0 0 0-3 3v5a3 3 0 0 0 6 0V6a3 3 0 0 0-3-3ZM5 11a7 7 0 0 0 14 0M12 18v3',
  };

  function make(tag, props, ...children) {
    const node = document.createElement(tag);
    for (const [key, value] of Object.entries(props || {})) {
      if (key.startsWith('on')) node.addEventListener(key.slice(2), value);
      else if (value === true) node.setAttribute(key, '');
      else if (value !== false && value != null) node.setAttribute(key, value);
    }
    node.append(...children.filter((child) => child != null && child !== false));
    return node;
  }

  function icon(name) {
    const svg = document.createElementNS(SVG, 'svg'), path = document.createElementNS(SVG, 'path');
    svg.setAttribute('viewBox', '0 0 24 24');
    svg.setAttribute('aria-hidden', 'true');
    path.setAttribute('d', ICONS[name]);
    if (name === 'stop') path.setAttribute('fill', 'currentColor');
    svg.append(path);
    return svg;
  }

  // As WCAG 2 defines them.
  const luminance = (rgb) => rgb.reduce((sum, part, i) => {
    const c = part / 255;
    return sum + [.2126, .7152, .0722][i] * (c <= .04045 ? c / 12.92 : ((c + .055) / 1.055) ** 2.4);
  }, 0);
  const contrast = (a, b) => {
    const [dim, bright] = [luminance(a), luminance(b)].sort((x, y) => x - y);
    return (bright + .05) / (dim + .05);
  };
  const blend = (a, b, share) => a.map((part, i) => Math.round(part + (b[i] - part) * share));

  // A small Markdown. A link stays only where it leads to one of the answer's citations; an image leaves its
  // description; \uE000..\uE001 is put around a sentence that the course does not confirm.

  const INLINE = /`([^`\n]+)`|\*\*(\S(?:.*?\S)?)\*\*|\*([^\s*](?:[^*\n]*[^\s*])?)\*|!?\[([^\]\n]*)\]\(([^)\s]*)[^)\n]*\)|\[(\d+(?:\s*,\s*\d+)*)\]|\uE000([^\uE001]*)\uE001/g;

  function inline(text, look) {
    const out = [];
    let at = 0;
    for (const m of text.matchAll(INLINE)) {
      out.push(text.slice(at, m.index));
      at = m.index + m[0].length;
      if (m[1]) out.push(make('code', {}, m[1]));
      else if (m[2]) out.push(make('strong', {}, ...inline(m[2], look)));
      else if (m[3]) out.push(make('em', {}, ...inline(m[3], look)));
      else if (m[4] != null) out.push(look.link(m[4], m[5]));
      else if (m[6]) out.push(...m[6].split(',').map((n) => look.chip(+n)));
      else if (m[7]) out.push(make('span', { class: 'weak' }, ...inline(m[7], look)));
    }
    out.push(text.slice(at));
    return out;
  }

  function markdown(text, look) {
    const out = [];
    let open = null; // the block that the next line may continue
    const put = (node) => (out.push(node), node);
    for (const block of text.split(/^(```[^]*?(?:^```\s*$|(?![^])))/m)) {
      if (block.startsWith('```')) {
        put(make('pre', { tabindex: 0 }, make('code', {}, block.replace(/^```.*\n?/, '').replace(/\n?```\s*$/, ''))));
        open = null;
        continue;
      }
      for (const line of block.split('\n')) {
        const item = /^\s*(?:[-*+•]|(\d{1,3})[.)])\s+(.*)/.exec(line);
        const head = /^#{1,6}\s+(.*)/.exec(line);
        if (!line.trim()) open = null;
        else if (item) {
          const tag = item[1] ? 'OL' : 'UL';
          if (!open || open.tagName !== tag) open = put(make(tag, { start: item[1] }));
          open.append(make('li', {}, ...inline(item[2], look)));
        } else if (head) {
          put(make('p', {}, make('strong', {}, ...inline(head[1], look))));
          open = null;
        } else if (open && open.tagName === 'P') open.append('\n', ...inline(line, look));
        else open = put(make('p', {}, ...inline(line, look)));
      }
    }
    return out;
  }

  // Server-Sent Events, parsed; `alive` is called for each piece, also for keep-alive comments.
  async function* events(body, alive) {
    const reader = body.getReader(), decoder = new TextDecoder();
    let rest = '';
    for (let ended = false; !ended;) {
      const { done, value } = await reader.read();
      ended = done;
      alive();
      rest += decoder.decode(value, { stream: !done });
      const parts = rest.split(/\r?\n\r?\n/);
      rest = done ? '' : parts.pop();
      for (const part of parts) {
        const data = part.split(/\r?\n/).filter((l) => l.startsWith('data:')).map((l) => l.slice(5).trim()).join('\n');
        if (data) yield JSON.parse(data);
      }
    }
  }

  // What the server says: its sentence, thrown as a string, for the student; its hint for the page's owner.
  function said(error) {
    if (error && error.hint) console.warn(TAG, error.message, error.hint);
    return error && error.message;
  }

  class Chat extends HTMLElement {
    static get observedAttributes() { return ['creator-id', 'data-creator-id']; }

    connectedCallback() { this.start(); }

    attributeChangedCallback() { this.start(); }

    disconnectedCallback() {
      this.stop('gone');
      if (this.ears) this.ears.abort();
      this.creator = this.pass = this.wish = null;
      this.live();
    }

    // `data-name`, or the attribute itself (but `title`, a tooltip), else what the creator chose. An empty attribute asks for
    // what the widget has of its own.
    option(name) {
      const plain = name.replace(/[A-Z]/g, (c) => '-' + c.toLowerCase());
      return this.dataset[name] ?? (name === 'title' ? null : this.getAttribute(plain)) ?? (this.look || {})[name] ?? '';
    }

    start() {
      const creator = this.option('creatorId');
      if (!this.isConnected || !creator || creator === this.creator) return;
      if (this.ears) this.ears.abort();
      this.creator = creator;
      this.look = {};
      this.floating = this.hasAttribute('floating');
      this.api = new URL(this.option('apiUrl').replace(/\/*$/, '/'), this.option('apiUrl') ? document.baseURI : home).href;
      this.dressed = this.dress();
    }

    // How the creator wants it to look, with the words of the language: asked once, and remembered for when nobody answers.
    async dress() {
      const page = document.documentElement.lang || navigator.language || 'en';
      const wish = this.wish = new URLSearchParams({ creator_id: this.creator, lang: this.option('lang'), page });
      const reply = await fetch(this.api + 'chat/look?' + wish, { credentials: 'omit', signal: AbortSignal.timeout(5e3) }).catch(() => null);
      const look = reply && reply.ok && await reply.json().catch(() => null);
      if (this.wish !== wish) return; // another creator's meanwhile, or gone
      if (look) this.memo('look', JSON.stringify(look));
      this.look = { ...(look || JSON.parse(this.memo('look'))), ...this.draft }; // a draft: what the dashboard's preview tries
      this.tongue = this.option('lang') || page;
      this.words = { ...WORDS, ...this.look.words };
      this.token ||= this.option('studentToken');
      this.lesson ||= this.option('lesson');
      this.build(this.look.language || 'en');
      this.colours();
      this.listen();
      this.recall();
      if (this.floating && innerWidth > 520 && !/^(0|false)$/.test(this.memo('open') ?? this.dataset.open ?? '0')) this.open(false);
    }

    build(tongue) {
      const t = this.words, title = this.option('title') || t.title, own = this.look.avatar, given = this.option('avatar');
      const avatar = given && given === own ? this.address(own) : given; // the server names its own without its address
      const face = (name) => {
        if (!avatar || !/^(https?:|data:image\/|\/|\.)/i.test(avatar)) return icon(name);
        const img = make('img', { alt: '', referrerpolicy: 'no-referrer', onerror: () => img.replaceWith(icon(name)) });
        img.src = new URL(avatar, document.baseURI).href;
        return img;
      };
      const root = this.shadowRoot || this.attachShadow({ mode: 'open' });
      root.replaceChildren();
      root.adoptedStyleSheets = [sheet];
      this.status = make('div', { class: 'sr', role: 'status' });
      this.log = make('div', { class: 'log', role: 'log', 'aria-live': 'off', 'aria-label': title, tabindex: 0 });
      this.bar = make('div', { class: 'bar', hidden: navigator.onLine }, t.offline);
      this.input = make('textarea', { rows: 1, placeholder: t.hint, 'aria-label': t.hint, enterkeyhint: 'send' });
      this.go = make('button', { class: 'go' });
      this.input.value = this.memo('draft') || '';
      this.terms = make('div', { class: 'bar', dir: 'auto' }, ...inline(this.look.consent || '', this.marks([], {}, true)));
      this.mic = Ear && /1|true/.test(this.option('dictation')) ? make('button', { type: 'button', class: 'icon', title: t.dictate, 'aria-label': t.dictate, 'aria-pressed': 'false', onclick: () => this.dictate() }, icon('mic')) : null;
      const form = make('form', {
        onsubmit: (e) => {
          e.preventDefault();
          if (this.halt) this.stop();
          else this.ask(this.input.value);
        },
      }, this.input, this.mic, this.go);
      this.panel = make('div', { class: 'panel', tabindex: -1, role: this.floating ? 'dialog' : null, 'aria-label': this.floating ? title : null, hidden: this.floating },
        make('div', { class: 'top' },
          make('div', { class: 'face', 'aria-hidden': 'true' }, face('chat')),
          make('div', { class: 'name' }, title),
          make('button', { class: 'icon', title: t.fresh, 'aria-label': t.fresh, onclick: () => this.fresh() }, icon('fresh')),
          this.floating && make('button', { class: 'icon', title: t.close, 'aria-label': t.close, onclick: () => this.close() }, icon('close'))),
        this.log, this.terms, this.bar, form,
        this.look.powered_by !== false && make('div', { class: 'by' }, this.anchor(this.api, t.by.replace('#', 'neverafk'))));
      this.wrap = make('section', { class: 'w', 'aria-label': title, lang: tongue, dir: RTL.test(this.tongue) ? 'rtl' : 'ltr' }, this.panel, this.status);
      if (this.floating) {
        const place = this.option('position').toLowerCase();
        this.wrap.dataset.position = /^(bottom|top)-(right|left)$/.test(place) ? place : 'bottom-right';
        this.launch = make('button', { class: 'launch', title, 'aria-haspopup': 'dialog', onclick: () => this.toggle() }, face('chat'), this.badge = make('span', { class: 'n' }));
        this.unread = +this.memo('unread') || 0;
        this.wrap.prepend(this.launch);
      }
      root.append(this.wrap);
      this.ready();
    }

    listen() {
      this.ears = new AbortController();
      const on = (target, names, hear) => names.split(' ').forEach((name) => target.addEventListener(name, hear, { signal: this.ears.signal }));
      on(this.input, 'input', () => {
        this.memo('draft', this.input.value);
        this.ready();
      });
      // A page's shortcuts would take keys typed here for their own: they see only the host element.
      on(this.wrap, 'keydown keyup keypress', (e) => {
        e.stopPropagation();
        if (e.type === 'keydown') this.key(e);
      });
      on(window, 'online offline', () => {
        this.bar.hidden = navigator.onLine;
        if (navigator.onLine && this.unsent) this.unsent();
      });
      on(window, 'storage', (e) => {
        if (e.key === this.shelf && !this.halt) this.recall(true);
      });
      on(matchMedia('(prefers-color-scheme: dark)'), 'change', () => this.colours());
      // A phone's keyboard covers the page without resizing it.
      if (this.floating && window.visualViewport) {
        on(visualViewport, 'resize scroll', () => {
          this.wrap.style.setProperty('--vh', visualViewport.height + 'px');
          this.wrap.style.setProperty('--vt', visualViewport.offsetTop + 'px');
        });
      }
    }

    key(e) {
      const composing = e.isComposing || e.keyCode === 229; // in an input method
      if (e.key === 'Enter' && !e.shiftKey && !composing && e.target === this.input) {
        e.preventDefault();
        if (!this.halt) this.ask(this.input.value);
      } else if (e.key === 'Escape' && !composing) {
        if (this.halt) this.stop();
        else if (this.floating && !this.panel.hidden) this.close();
      } else if (e.key === 'Tab' && this.floating && !this.panel.hidden) {
        const stops = [...this.panel.querySelectorAll('button,a[href],textarea,input,[tabindex="0"]')].filter((n) => !n.disabled && n.getClientRects().length);
        const now = this.shadowRoot.activeElement, first = stops[0], last = stops[stops.length - 1];
        if (e.shiftKey ? now === first || !stops.includes(now) : now === last || now === this.launch) {
          e.preventDefault();
          (e.shiftKey ? last : first).focus();
        }
      }
    }

    // The creator's colour, and the nearest shade of it that can be read on the panel.
    colours() {
      const theme = this.option('theme'), css = this.look.css || {};
      let dark = theme === 'dark' || (theme !== 'light' && matchMedia('(prefers-color-scheme: dark)').matches);
      this.wrap.toggleAttribute('data-dark', dark);
      const set = (name, value) => this.wrap.style.setProperty(name, value);
      for (const [name, value] of Object.entries(css)) set('--' + name, value);
      const rgb = (text, or) => {
        const found = text.match(/^rgba?\((\d+), (\d+), (\d+)/);
        return found ? found.slice(1).map(Number) : or;
      };
      const own = [15, 118, 110];
      this.status.style.color = '';
      this.status.style.color = this.option('color');
      const accent = this.status.style.color ? rgb(getComputedStyle(this.status).color, own) : own;
      const ground = rgb(getComputedStyle(this.panel).backgroundColor, dark ? [23, 26, 30] : [255, 255, 255]);
      if (css.bg) this.wrap.toggleAttribute('data-dark', dark = luminance(ground) < .18); // what is read on a ground of the creator's
      const far = luminance(ground) < .18 ? [255, 255, 255] : [0, 0, 0];
      let ink = accent;
      for (let share = 0; contrast(ink, blend(ground, ink, .1)) < 4.6 && share < 1; share += .05) ink = blend(accent, far, share);
      set('--accent', `rgb(${accent})`);
      set('--on', contrast(accent, [255, 255, 255]) >= 4.5 ? '#fff' : '#000');
      set('--ink', `rgb(${ink})`);
      set('--tint', `rgb(${blend(ground, ink, .1)})`);
    }

    // Kept in the browser: transcript and conversation (all tabs), draft and open (this tab); or, forbidden, not at all.

    get shelf() { return 'neverafk:' + this.api + ':' + this.creator + (this.student ? ':' + this.student : ''); }

    memo(name, value) {
      try {
        const key = this.shelf + ':' + name;
        if (value === undefined) return sessionStorage.getItem(key);
        sessionStorage.setItem(key, value);
      } catch { }
      return null;
    }

    recall(elsewhere) {
      let kept = null;
      try {
        kept = JSON.parse(localStorage.getItem(this.shelf));
      } catch { }
      if (!kept || !Array.isArray(kept.turns) || Date.now() - kept.at > 30 * DAY) kept = { turns: [] };
      this.conversation = kept.conversation;
      this.pass = kept.pass;
      this.called = kept.called;
      this.turns = kept.turns;
      this.show(elsewhere);
      this.live();
    }

    keep() {
      try {
        localStorage.setItem(this.shelf, JSON.stringify({ at: Date.now(), conversation: this.conversation, pass: this.pass, called: this.called, turns: this.turns.slice(-60) }));
      } catch { }
    }

    fresh() {
      this.stop('gone');
      this.conversation = this.pass = this.called = undefined;
      this.live();
      this.turns = [];
      this.keep();
      this.show();
      this.input.focus();
    }

    show(elsewhere) {
      const t = this.words;
      this.unsent = null;
      const chosen = this.option('suggestions').split('|').map((s) => s.trim()).filter(Boolean);
      const hello = make('div', { class: 'm' }, make('div', { class: 'text', dir: 'auto' }, ...markdown(this.option('welcome') || t.welcome, this.marks([]))));
      if (!this.turns.length && chosen.length)
        hello.append(make('div', { class: 'row' }, ...chosen.map((s) => make('button', { class: 'pill', onclick: () => this.ask(s) }, s))));
      this.terms.hidden = !this.look.consent || this.turns.length > 0;
      this.log.replaceChildren(hello, ...this.turns.map((turn) => turn.ask ? this.bubble(turn.ask) : this.settle(this.frame(), turn)));
      const last = this.turns[this.turns.length - 1];
      if (last && last.ask && !elsewhere) this.trouble(this.frame(true), last.ask, t.failed);
      this.log.scrollTop = this.log.scrollHeight;
    }

    bubble(text) {
      return make('div', { class: 'm you', dir: 'auto' }, make('span', { class: 'sr' }, this.words.you + ': '), text);
    }

    frame(add) {
      const parts = { text: make('div', { class: 'text', dir: 'auto' }), proof: make('div'), notes: make('div') };
      parts.node = make('div', { class: 'm' }, make('span', { class: 'sr' }, this.words.answer + ': '), parts.text, parts.proof, parts.notes);
      if (add) this.log.append(parts.node);
      return parts;
    }

    // How [n] and links become nodes; `cards` open the sources below. Whose words they are `own` may link to any page.
    marks(citations, cards = {}, own) {
      return {
        chip: (n) => {
          const c = citations.find((x) => x.id === n);
          return c ? make('button', { class: 'chip', 'aria-expanded': 'false', 'aria-label': this.words.sources + ' ' + n + ': ' + this.place(c), onclick: () => cards[n] && cards[n](true) }, n) : '[' + n + ']';
        },
        link: (label, url) => {
          const href = this.address(url);
          return href && (own || citations.some((c) => this.address(c.url) === href)) ? this.anchor(href, label) : label;
        },
      };
    }

    anchor(href, label) { return make('a', { href, target: '_blank', rel: 'noopener noreferrer' }, label); }

    // An http(s) address, or null.
    address(url) {
      try {
        const full = new URL(String(url).replace(/^\/(?!\/)/, ''), this.api);
        return url && /^https?:$/.test(full.protocol) ? full.href : null;
      } catch { return null; }
    }

    place(c) { return [c.title, this.where(c)].filter(Boolean).join(', '); }

    // Page, slide, row or time, and heading.
    where({ anchor }) {
      const { page, slide, sheet, row, start_ms: ms, heading } = anchor || {};
      const time = ms != null && new Date(ms).toISOString().slice(ms < 36e5 ? 14 : 11, 19).replace(/^0/, '');
      const spot = page ? this.words.page.replace('#', page) : slide ? this.words.slide.replace('#', slide) : [sheet, row && '#' + row].filter(Boolean).join(' ') || time;
      return [spot, heading !== sheet && heading].filter(Boolean).join(' · ');
    }

    evidence(parts, citations) {
      parts.proof.replaceChildren(make('div', { class: 'sub' }, this.words.sources), ...citations.slice(0, 2).map((c) =>
        make('div', { class: 'ev', dir: 'auto' }, make('div', {}, c.quote), make('small', {}, this.place(c)))));
    }

    settle(parts, turn) {
      const t = this.words, cites = turn.citations || [], cards = {};
      let text = turn.text;
      for (const s of turn.weak || []) text = text.replace(s, (whole) => '\uE000' + whole + '\uE001');
      parts.text.replaceChildren(...markdown(text, this.marks(cites, cards)));
      parts.notes.replaceChildren();
      const list = cites.map((c) => {
        const href = this.address(c.url), id = 'c' + (this.count = (this.count || 0) + 1);
        const quote = make('div', { class: 'q', id, hidden: true }, make('blockquote', { dir: 'auto', tabindex: 0 }, c.quote), href && this.anchor(href, t.see));
        const flip = (jump) => {
          quote.hidden = !quote.hidden;
          const chips = [...parts.text.querySelectorAll('.chip')].filter((n) => n.textContent === String(c.id));
          [button, ...chips].forEach((n) => n.setAttribute('aria-expanded', String(!quote.hidden)));
          if (jump && !quote.hidden) box.scrollIntoView({ block: 'nearest' });
        };
        const button = make('button', { 'aria-expanded': 'false', 'aria-controls': id, onclick: () => flip() },
          make('span', { class: 'chip' }, c.id), make('span', { class: 't' }, make('bdi', {}, c.title), make('small', { dir: 'auto' }, this.where(c))), icon('more'));
        const box = make('div', { class: 'src' }, button, quote);
        cards[c.id] = flip;
        return box;
      });
      parts.proof.replaceChildren(...(list.length ? [make('div', { class: 'sub' }, t.sources), ...list] : []));
      if (text !== turn.text) parts.proof.prepend(make('div', { class: 'sub' }, make('span', { class: 'weak' }, t.weak)));
      if (turn.id && turn.citations) parts.proof.append(this.thumbs(turn));
      if (turn.stopped) this.note(parts, t.stopped);
      if (turn.help) this.note(parts, this.called ? t.called : '', !this.called && t.person, () => this.contact(parts));
      return parts.node;
    }

    // Whether it helped: the last word counts. And the answer read aloud, by a voice of this device where there is one.
    thumbs(turn) {
      const t = this.words, why = make('div');
      const row = make('div', { class: 'dots' }, ...['good', 'poor'].map((name) => make('button', {
        class: 'icon ' + name, title: t[name], 'aria-label': t[name], 'aria-pressed': String(turn.thumb === name),
        onclick: async () => {
          if (!await this.judge(turn, { helpful: name === 'good' })) return;
          turn.thumb = name;
          this.keep();
          for (const b of row.querySelectorAll('[aria-pressed]')) b.setAttribute('aria-pressed', String(b.title === t[name]));
          why.replaceChildren(...name === 'poor' ? [this.reasons(turn, why)] : []);
          this.follow();
        },
      }, icon('good'))), voice && make('button', { class: 'icon', title: t.aloud, 'aria-label': t.aloud, onclick: () => this.read(turn) }, icon('aloud')));
      return make('div', {}, row, why);
    }

    async judge(turn, said) { return (await this.post('feedback', { message_id: turn.id, ...said }).catch(() => 0)).ok; }

    reasons(turn, place) {
      const t = this.words, more = make('input', { maxlength: 1000, placeholder: t.more, 'aria-label': t.more });
      let reason;
      const pills = ['wrong', 'incomplete', 'unclear', 'off_topic', 'other'].map((name) => {
        const pill = make('button', { type: 'button', class: 'pill', 'aria-pressed': 'false', onclick: () => {
          reason = name;
          for (const p of pills) p.setAttribute('aria-pressed', String(p === pill));
        } }, t[name]);
        return pill;
      });
      const send = async (e) => {
        e.preventDefault();
        const kept = await this.judge(turn, { helpful: false, reason, comment: more.value.trim() || undefined });
        this.status.textContent = kept ? t.thanks : t.failed;
        if (!kept) return;
        place.replaceChildren(make('div', { class: 'sub' }, t.thanks));
        this.rest();
      };
      this.status.textContent = t.why;
      return make('div', { class: 'tip' }, make('form', { 'aria-label': t.why, onsubmit: send }, make('span', {}, t.why), ...pills, more, make('button', { class: 'pill' }, t.send)));
    }

    read(turn) {
      if (voice.speaking) return voice.cancel();
      const words = new SpeechSynthesisUtterance(turn.text.replace(/\[\d[\d, ]*\]|[*`#]/g, ''));
      words.lang = turn.lang || this.tongue;
      words.voice = voice.getVoices().find((v) => v.localService && v.lang.slice(0, 2) === words.lang.slice(0, 2)) || null;
      voice.speak(words);
    }

    // Spoken words go where typed ones do, to be looked at before they are sent.
    dictate() {
      if (this.ear) return this.ear.stop();
      const ear = this.ear = new Ear(), before = this.input.value;
      ear.lang = this.tongue;
      ear.interimResults = true;
      ear.onresult = ({ results }) => {
        this.input.value = [before, ...[...results].map((r) => r[0].transcript)].join(' ').trim();
        this.memo('draft', this.input.value);
        this.ready();
      };
      ear.onend = () => {
        this.ear = null;
        this.mic.setAttribute('aria-pressed', 'false');
        this.input.focus();
      };
      this.mic.setAttribute('aria-pressed', 'true');
      ear.start();
    }

    note(parts, text, label, act, bad) {
      parts.notes.replaceChildren(make('div', { class: 'tip' + (bad ? ' bad' : '') }, make('span', { dir: 'auto' }, text),
        label && make('button', { class: 'pill', onclick: act }, label)));
      this.follow();
    }

    contact(parts) {
      const t = this.words, mail = make('input', { type: 'email', required: true, autocomplete: 'email', placeholder: t.mail, 'aria-label': t.mail });
      const send = async (e) => {
        e.preventDefault();
        const reply = await this.post('chat/contact', { email: mail.value }).catch(() => null);
        if (!reply || !reply.ok) return this.note(parts, t.failed, t.retry, () => this.contact(parts), true);
        this.joined(await reply.json(), true);
        this.note(parts, this.status.textContent = t.called);
        this.rest();
      };
      parts.notes.replaceChildren(make('div', { class: 'tip' }, make('form', { onsubmit: send }, mail, make('button', { class: 'pill' }, t.send))));
      mail.focus();
      this.follow();
    }

    // Whoever began a conversation proves it by its token, and hears what a person says in it.
    joined(reply, called) {
      this.conversation = reply.conversation_id || this.conversation;
      this.pass = reply.conversation_token || this.pass;
      this.called ||= called;
      this.keep();
      this.live();
    }

    live() {
      if (this.wire && this.wire.pass !== this.pass) this.wire.close();
      if (!this.pass || this.wire || !(this.called || this.turns.some((turn) => turn.help))) return;
      const wire = this.wire = new WebSocket(this.api.replace(/^http/, 'ws') + 'ws');
      wire.pass = this.pass;
      wire.onopen = () => wire.send(JSON.stringify({ type: 'join', creator_id: this.creator, conversation_id: this.conversation, token: wire.pass }));
      wire.onmessage = ({ data }) => {
        const said = JSON.parse(data);
        if (said.type === 'typing') this.status.textContent = '…';
        for (const m of said.messages || (said.type === 'message' ? [said.message] : [])) {
          if (m.from !== 'person' || this.turns.some((turn) => turn.id === m.message_id)) continue;
          const turn = { text: (m.by ? '**' + m.by + '** ' : '') + m.text, id: m.message_id };
          this.turns.push(turn);
          this.keep();
          this.log.append(this.settle(this.frame(), turn));
          this.status.textContent = m.text;
          if (this.panel.hidden) this.news(this.unread + 1);
          this.follow();
          tell('message', m);
        }
      };
      wire.onclose = () => {
        this.wire = null;
        clearTimeout(this.redial);
        this.redial = setTimeout(() => this.live(), 5e3 + 5e3 * Math.random());
      };
    }

    // How many messages of a person wait behind the closed panel.
    news(count) {
      this.memo('unread', this.unread = count);
      this.ready();
    }

    waiting(parts) {
      parts.text.replaceChildren(make('div', { class: 'dots' }, make('i'), make('i'), make('i'), make('span', {}, this.words.wait)));
    }

    trouble(parts, question, text) {
      const again = () => {
        this.unsent = null;
        if (this.halt) return;
        this.rest();
        this.answer(question, parts);
      };
      this.unsent = navigator.onLine ? null : again;
      if (!parts.text.textContent || parts.text.querySelector('.dots')) parts.text.replaceChildren();
      this.note(parts, text, this.words.retry, again, true);
    }

    // Stay at the end, unless the reader has scrolled away.
    follow() {
      if (this.log.scrollHeight - this.log.scrollTop - this.log.clientHeight < 160) this.log.scrollTop = this.log.scrollHeight;
    }

    ready() {
      const t = this.words, busy = !!this.halt;
      this.go.replaceChildren(icon(busy ? 'stop' : 'send'));
      this.go.setAttribute('aria-label', busy ? t.stop : t.send);
      this.go.title = busy ? t.stop : t.send;
      this.go.disabled = !busy && !this.input.value.trim();
      this.input.style.height = '';
      if (this.input.scrollHeight) this.input.style.height = Math.min(this.input.scrollHeight + 2, 140) + 'px';
      if (this.launch) {
        const shown = !this.panel.hidden;
        this.launch.setAttribute('aria-expanded', String(shown));
        this.launch.setAttribute('aria-label', shown ? t.close : t.open + (this.unread ? ', ' + t.news.replace('#', this.unread) : ''));
        this.badge.textContent = this.unread;
        this.badge.hidden = !this.unread;
      }
    }

    ask(text) {
      text = String(text ?? '').trim();
      if (!text || this.halt || !this.panel) return;
      const inside = this.shadowRoot.activeElement;
      if (this.floating) this.open(false);
      if (text === this.input.value.trim()) {
        this.input.value = '';
        this.memo('draft', '');
      }
      const row = this.log.querySelector('.row');
      if (row) row.remove();
      this.terms.hidden = true;
      this.turns.push({ ask: text });
      this.keep();
      this.log.append(this.bubble(text));
      this.log.scrollTop = this.log.scrollHeight;
      tell('question', { text });
      this.answer(text, this.frame(true));
      if (inside) this.rest();
    }

    async answer(question, parts) {
      const t = this.words, halt = this.halt = new AbortController();
      let text = '', citations = [], frame = 0, watch;
      const alive = () => {
        clearTimeout(watch);
        watch = setTimeout(() => halt.abort(new Error()), 6e4); // the server sends a comment every 15 s
      };
      const draw = () => {
        frame = 0;
        parts.text.replaceChildren(...markdown(text, this.marks(citations)));
        this.follow();
      };
      const finish = (turn) => {
        this.turns.push(turn);
        this.keep();
        this.settle(parts, turn);
        this.status.textContent = parts.text.textContent;
      };
      this.ready();
      this.waiting(parts);
      parts.proof.replaceChildren();
      parts.notes.replaceChildren();
      parts.node.setAttribute('aria-busy', 'true');
      this.status.textContent = t.wait;
      this.follow();
      try {
        alive();
        const response = await this.request(question, parts, halt.signal, alive);
        let done = null;
        for await (const event of events(response.body, alive)) {
          if (event.type === 'sources') this.evidence(parts, citations = event.citations || []);
          else if (event.type === 'token') {
            text += event.content;
            frame ||= requestAnimationFrame(draw);
          } else if (event.type === 'error') throw said(event.error) || t.failed;
          else if (event.type === 'done') done = event;
          this.follow();
        }
        if (!done) throw t.failed; // the stream was cut
        const person = done.agent === 'person';
        finish(person ? { text: t.called } : {
          help: done.should_escalate, text: done.response, citations: done.citations, id: done.message_id, lang: done.language,
          weak: (done.sentences || []).filter((s) => s.support < .5 && !(s.citations || []).length && !done.abstained && !/\n/.test(s.text)).map((s) => s.text),
        });
        this.joined(done, person);
        tell('answer', done);
        if (done.should_escalate) tell('escalate', done);
      } catch (error) {
        if (frame) draw();
        if (halt.signal.reason === 'stop') finish({ text, citations: text ? citations : [], stopped: true });
        else if (halt.signal.reason !== 'gone') {
          const why = typeof error === 'string' ? error : t.failed;
          this.trouble(parts, question, why);
          this.status.textContent = why;
          tell('error', { message: why });
        }
      } finally {
        clearTimeout(watch);
        cancelAnimationFrame(frame);
        parts.node.removeAttribute('aria-busy');
        if (this.halt === halt) this.halt = null;
        this.ready();
        this.follow();
      }
    }

    post(path, body, signal) {
      const who = { creator_id: this.creator, conversation_id: this.conversation, conversation_token: this.pass, student_token: this.token || undefined };
      if (path !== 'chat/stream' && !this.pass) delete who.conversation_id; // one that nobody can prove
      return fetch(this.api + path, {
        method: 'POST', body: JSON.stringify({ ...who, ...body }), signal, credentials: 'omit', headers: { 'content-type': 'application/json', accept: 'text/event-stream' },
      });
    }

    // A busy server is asked again when it says, three times at most.
    async request(question, parts, signal, alive) {
      const position = typeof this.position === 'function' ? this.position() : this.position;
      const body = {
        message: question,
        lesson: this.lesson || undefined, position_ms: position >= 0 ? Math.round(position) : undefined, lang: this.option('lang') || undefined,
      };
      for (let tries = 0; ; tries++) {
        const response = await this.post('chat/stream', body, signal).catch((error) => this.why(error, signal));
        if (response.ok) return response;
        const wait = +response.headers.get('retry-after') || 2 ** (tries + 1);
        if ((response.status !== 429 && response.status !== 503) || tries === 3 || wait > 60) {
          const answer = await response.json().catch(() => ({}));
          throw said(answer.error) || answer.detail || this.words.failed;
        }
        for (let left = wait; left > 0; left--) {
          alive();
          this.note(parts, this.words.busy.replace('#', left));
          await new Promise((go) => setTimeout(go, 1000));
          signal.throwIfAborted();
        }
        parts.notes.replaceChildren();
      }
    }

    // A browser hides why a page may not ask; the server says it where no permission is needed.
    async why(error, signal) {
      if (!signal.aborted) {
        const reply = await fetch(this.api + 'chat/access?creator_id=' + encodeURIComponent(this.creator), { signal, credentials: 'omit' }).catch(() => null);
        if (reply && !reply.ok) return reply;
      }
      throw error;
    }

    stop(why = 'stop') {
      if (this.halt) this.halt.abort(why);
    }

    // From here on: what a page may call.

    open(focus = true) {
      if (!this.panel) return;
      if (this.floating && this.panel.hidden) {
        this.panel.hidden = false;
        this.memo('open', '1');
        this.log.scrollTop = this.log.scrollHeight;
        tell('open');
        this.news(0);
      }
      const full = this.floating && this.panel.offsetWidth >= innerWidth; // covers the page, as on a phone
      if (this.floating) this.panel.setAttribute('aria-modal', String(full));
      if (focus) this.rest();
    }

    // Focus where typing goes on; on a touch screen without calling the keyboard.
    rest() { (matchMedia('(pointer: coarse)').matches ? this.panel : this.input).focus({ preventScroll: true }); }

    close() {
      if (!this.floating || !this.panel || this.panel.hidden) return;
      const inside = this.shadowRoot.activeElement;
      this.panel.hidden = true;
      if (voice) voice.cancel();
      this.memo('open', '0');
      this.ready();
      if (inside) this.launch.focus();
      tell('close');
    }

    toggle() {
      if (this.panel && this.panel.hidden) this.open();
      else this.close();
    }

    // A signed token, or {token, id}: with an id, the transcript is that student's own.
    identify(who) {
      const { token, id } = typeof who === 'object' && who ? who : { token: who };
      this.token = token || '';
      const other = id == null ? undefined : String(id);
      if (other !== this.student && this.log) {
        this.stop('gone');
        this.student = other;
        this.recall();
      }
    }

    // The player's position: milliseconds, or a function that tells them.
    setLesson(lesson, position) {
      this.lesson = lesson || '';
      this.position = position;
    }
  }

  const offs = new Set();
  const tell = (name, detail) => document.dispatchEvent(new CustomEvent('neverafk:' + name, { detail }));
  const corner = () => document.querySelector(TAG + '[floating]');
  const whenParsed = (act) => {
    if (document.readyState === 'loading') document.addEventListener('DOMContentLoaded', act, { once: true });
    else act();
  };

  // The corner widget, once. It hangs on the root element: pages swap, transform and hide their bodies.
  const add = (tag) => whenParsed(() => {
    if (!tag || !tag.dataset.creatorId || corner()) return;
    const chat = document.createElement(TAG);
    Object.assign(chat.dataset, tag.dataset);
    chat.dataset.apiUrl ||= tag.src ? new URL('.', tag.src).href : home;
    chat.setAttribute('floating', '');
    document.documentElement.append(chat);
    chat.dressed.then(() => tell('ready'));
  });

  if (window.neverafk && window.neverafk.add) { // loaded twice
    window.neverafk.add(script);
    return;
  }
  const api = {
    add,
    on(name, hear) {
      const listen = (e) => hear(e.detail);
      const off = () => document.removeEventListener('neverafk:' + name, listen);
      document.addEventListener('neverafk:' + name, listen);
      offs.add(off);
      return off;
    },
    destroy() {
      offs.forEach((off) => off());
      document.querySelectorAll(TAG).forEach((chat) => chat.remove());
      delete window.neverafk;
    },
  };
  for (const name of ['open', 'close', 'toggle', 'ask', 'identify', 'setLesson']) {
    api[name] = (...values) => whenParsed(async () => {
      const chat = corner() || document.querySelector(TAG);
      if (!chat) return;
      await chat.dressed;
      chat[name](...values);
    });
  }
  window.neverafk = api;
  if (!customElements.get(TAG)) customElements.define(TAG, Chat);
  add(script);
})();
