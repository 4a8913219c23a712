"""Small templates for each part of the language that chat templates are written in, and the variables that they all have."""

MESSAGES = [
    {"role": "system", "content": "S"},
    {"role": "user", "content": "Zwölf"},
    {"role": "assistant", "content": "  a\n    b  ", "tool_calls": [{"id": "1"}]},
    {"role": "user", "content": "last", "name": "Ann"},
]
VARIABLES = {
    "messages": MESSAGES,
    "d": {"b": 1, "a": [1, 2.5, None, True], "items": "key", "constructor": "C", "__proto__": "P", "prototype": 3, "B": 2},
    "tree": [{"n": 1, "c": [{"n": 2, "c": []}, {"n": 3, "c": [{"n": 4, "c": []}]}]}],
    "s": "Hello, 🙂 World",
    "text": "\n  one two\n\n  three  \n",
    "nums": [3, 1, 2, 10, 1],
    "nothing": None,
}

EXPRESSIONS = """
none
[true, false, none, True, None]
1
1.0
-0.0
1e5
1e16
1.5e-7
0.1 + 0.2
123456789012345678901234567890 * 10
2 ** 0.5
2 ** 10
2 ** -1
-2 ** 2
2 ** 3 ** 2
7 / 2
6 / 2
7 // 2
-7 // 2
-7 % 3
7 % -3
7.5 // 2
-7.5 % 2
7.5 % 2
1 + True
1 / 0
1_000 + 0x1F + 0b11 + 0o17
'a' + 'b'
'a' + 1
1 + 'a'
'a' * 3
3 * [1, 2]
[1] + [2]
[1] + (2,)
(1, 2) + (3,)
(1,)
()
'a' ~ 1 ~ none ~ 1.5 ~ [1, 'x']
1 ~ 2 + 3
"it's"
["it's", 'say "x"', 'both \\' and "', 'tab\\t\\n\\r\\\\', '\\x07', '\\u00a0', 'é🙂', '\\x1b\\u200b']
'\\d\\x41\\u00e9\\101'
'a' 'b' "c"
{'a': 1, "b": [none], 3: 'x', none: 1.5}
{'a': {'b': {'c': 1}}}
{1: 'a', true: 'b', 1.0: 'c'}
{[1]: 2}
1 < 2 < 3
1 < 3 < 2
1 == 1.0 == True
'a' < 'b'
'Z' < 'a'
[1, 2] < [1, 3]
(1, 2) == (1, 2)
[1] == (1,)
{'a': 1, 'b': 2} == {'b': 2, 'a': 1}
1 < 'a'
none < 1
1 != 1.0
not 1 == 2
not not 0
0 or 'x'
0 and 'x'
'' or none or [] or 'end'
1 and 2
'ell' in s
3 in nums
'b' in d
'x' not in d
1 in 'abc'
'a' in none
'a' in missing
missing in [1]
1 if true else 2
1 if false
1 if false else 2 if false else 3
(1 if missing else 2) + 1
missing
missing.x
missing['x']
missing + 1
-missing
missing ~ 'a'
missing == other
missing == none
[missing]
missing | length
missing | trim
missing | int
missing()
none.x
none['x']
nothing.x.y
d.b
d['b']
d.items is callable
d.items is defined
d['items']
d.items()
d.constructor
d['__proto__']
d.__proto__
d.prototype
d.a.constructor
d.toString
s.constructor
s.length
nums.length
nums.map
d.hasOwnProperty
range.constructor
d.__class__
s['__class__']
d.__class__.__mro__
s.__init__
messages.append(1)
messages.append
messages.append is defined
d.__class__.__base__
d.__class__()
s.__class__ ~ 'x'
[s.__class__]
s.format.__globals__
range.__class__
range.__self__
(nums | map('string')).gi_frame
d.update({'x': 1})
d.pop('b')
messages.pop()
''.__class__
d.get('b')
d.get('x')
d.get('x', 5)
d.keys() | list
d.values() | list | length
{'a': 1}.items()
{'a': 1}.keys()
{'a': 1}.values()
{'a': 1}.items() | list
{'a': 1}.items() | length
{'a': 1}.items()[0]
'' | list
'abc' | list
nums[0]
nums[-1]
nums[10]
nums['x']
nums[1.5]
nums[true]
nums[1:3]
nums[:-1]
nums[::-1]
nums[::2]
nums[-2:]
nums[3:0:-1]
nums[10:]
nums[:100]
nums[::0]
(1, 2, 3)[1:]
s[0]
s[7]
s[-1]
s[7:9]
s[::-1]
s[100]
s[1:][0]
messages[-1].content
messages[1]['content'][1]
messages[0].role.upper()
d.0
nums.0
nums.1 + 1
range(3)
range(1, 10, 3)
range(3) | list
range(5, 0, -2) | list
range(0) | list
range(3)[1]
range(3) | length
range(100001)
range(1, 5, 0)
range(2) == range(2)
dict(a=1, b='x')
dict({'a': 1}, b=2)
dict([('a', 1)])
namespace(a=1).a
namespace(a=1).b
namespace({'a': 2})['a']
namespace(_a=1)
' x '.strip()
'xxaxx'.strip('x')
'xyaxy'.strip('yx')
'\\n  a \\n'.strip('\\n')
'xxa'.lstrip('x')
'axx'.rstrip('x')
'  a '.lstrip() ~ '|'
'  a '.rstrip() ~ '|'
'\\n\\n    code\\n'.lstrip('\\n')
'\\u00a0\\u2003a\\x1f\\ufeff'.strip() | length
'🙂a🙂'.strip('🙂')
'a'.strip(none)
'a'.strip(1)
'a,b,c'.split(',')
'a,b,c'.split(',', 1)
'a,b,c'.rsplit(',', 1)
'a,b,c'.split(',', maxsplit=1)
'a'.split(',')
''.split(',')
'  a  b c '.split()
'  a  b c '.split(none, 1)
'  a  b c '.rsplit(none, 1)
''.split()
'a'.split('')
'x</think>y</think>z'.split('</think>')[-1]
'x</think>y'.split('</think>')[0].split('<think>')[-1]
'a-b-c'.partition('-')
'a-b-c'.rpartition('-')
'abc'.partition('-')
'abc'.rpartition('-')
'a\\nb\\r\\nc\\n\\nd'.splitlines()
'a\\nb\\n'.splitlines(true)
''.splitlines()
'\\n'.splitlines()
s.startswith('Hell')
s.startswith(('x', 'H'))
s.endswith('ld')
s.startswith(1)
'aaa'.replace('a', 'b')
'aaa'.replace('a', 'b', 2)
'ab'.replace('', '-')
'ab'.replace('', '-', 2)
s.find('World')
s.find('x')
s.find('o', 5)
s.rfind('o')
s.index('W')
s.index('x')
'banana'.count('an')
'banana'.count('')
s.upper()
s.lower()
'hELLO wORLD'.capitalize()
"they're bill's 2nd".title()
'ß'.upper()
'aB'.swapcase()
'Straße'.casefold()
'abc'.center(9, '*')
'abc'.ljust(5, '.') ~ '|'
'abc'.rjust(5) ~ '|'
'42'.zfill(5)
'-42'.zfill(5)
','.join(['a', 'b'])
','.join([1])
'-'.join('abc')
'a1'.isalnum()
'ab'.isalpha()
''.isalpha()
'12'.isdigit()
'²'.isdigit()
'½'.isnumeric()
'12'.isdecimal()
' \\n'.isspace()
'ab1'.islower()
'A1'.isupper()
'1'.isupper()
'Ab Cd'.istitle()
'abc'.removeprefix('a').removesuffix('c')
'abc'.nope()
'{} {}'.format(1, 'x')
'{0} {1} {0}'.format('a', 'b')
'{a}-{b!r}'.format(a=1, b='x')
'{:>5}|{:<5}|{:^5}|{:*^7}'.format('a', 'b', 'c', 'd')
'{:05d} {:+d} {:x} {:,}'.format(42, 42, 255, 1234567)
'{:.2f} {:8.3f} {:.0f} {:e}'.format(3.14159, 2.5, 2.5, 12345.678)
'{:.1%} {:06.2f}'.format(0.256, 3.14159)
'{{}} {}'.format(1)
'{0[a]} {0.b}'.format({'a': 1})
'{[0]}'.format([7])
'{:{}}|'.format('a', 4)
'{}'.format()
'{x}'.format(y=1)
'{0.__class__}'.format('a')
'{} {}'.format_map({'a': 1})
'{a}'.format_map({'a': 1})
'%s and %r' % ('a', 'b')
'%d %5d|%-5d|%05d' % (1, 2, 3, 4)
'%.2f %5.1f' % (3.14159, 2.55)
'%s' % none
'%s' % [1, 2]
'%(a)s' % {'a': 1}
'%d' % 3.9
'%d' % 'x'
'%s %s' % 'a'
'%s' % (1, 2)
'%%' % ()
'%x %X %o %e' % (255, 255, 8, 1234.5)
'%5s|%-5s|%.2s' % ('a', 'b', 'cde')
'%s %s' | format('a', 1)
'%(x)s' | format(x=1)
' x ' | trim
'xxaxx' | trim('x')
s | upper
s | lower
'hello wORLD' | capitalize
"hello-world foo_bar (baz) it's" | title
s | length
s | count
s | reverse
nums | reverse | list
nums | first
nums | last
[] | first
[] | last
[none] | first
'abc' | first
'abc' | last
nums | sort
nums | sort(reverse=true)
['b', 'A', 'c'] | sort
['b', 'A', 'c'] | sort(case_sensitive=true)
messages | sort(attribute='content') | map(attribute='content') | list
[1, 'a'] | sort
nums | unique | list
['a', 'A', 'b'] | unique | list
['a', 'A', 'b'] | unique(case_sensitive=true) | list
nums | sum
[{'x': 1}, {'x': 2}] | sum(attribute='x')
[1, 2] | sum(start=10)
nums | min
nums | max
['b', 'A'] | min
[] | max
nums | join
nums | join(', ')
nums | join(d='-')
messages | join('|', attribute='role')
messages | map(attribute='content') | join('|')
messages | map(attribute='name', default='?') | list
messages | map(attribute='name') | list
['a', 'b'] | map('upper') | list
['a', 'b'] | map('replace', 'a', 'x') | list
[1, 2] | map('nope') | list
messages | selectattr('role', 'equalto', 'user') | list | length
messages | selectattr('role', '==', 'user') | map(attribute='content') | list
messages | rejectattr('role', 'eq', 'user') | map(attribute='role') | list
messages | selectattr('name', 'defined') | list | length
messages | selectattr('name', 'undefined') | list | length
messages | selectattr('tool_calls') | list | length
messages | rejectattr('tool_calls') | list | length
messages | selectattr('role', 'in', ['user', 'tool']) | list | length
messages | selectattr('role', 'nope') | list
messages | selectattr() | list
[0, 1, '', 'a'] | select | list
[0, 1, '', 'a'] | reject | list
[1, 2, 3, 4] | select('odd') | list
[1, 2, 3, 4] | reject('divisibleby', 2) | list
[1, 2, 3] | select('gt', 1) | list
'x' if [] | select else 'y'
[1, 2] | select | length
missing | default('x')
missing | d
none | default('x')
'' | default('x', true)
'' | default('x')
0 | default(default_value='x', boolean=true)
missing.x | default('x')
'abc' | replace('b', 'x')
'aaa' | replace('a', 'b', 2)
'aaa' | replace('a', 'b', count=1)
1 | replace(1, 2)
1.5 | string
none | string
'3' | int
'3.7' | int
'x' | int
'x' | int(default=-1)
'0x1f' | int(base=16)
'1f' | int(base=16)
' 42 ' | int
'-7' | int
3.9 | int
-3.9 | int
true | int
none | int
'3' | float
'x' | float
3 | float
'1e3' | float
'x' | float(1.5)
-3 | abs
(-3) | abs
-3.5 | abs
2.5 | round
3.5 | round
2.675 | round(2)
2.567 | round(1, 'floor')
2.51 | round(method='ceil')
42 | round
42.55 | round
[1, 2] | list
{'a': 1} | list
'<a & "b">' | e
'<a>' | escape
'<a>' | safe
'a' | safe ~ '<b>'
{'b': 1, 'a': 2} | dictsort
{'b': 1, 'A': 2} | dictsort(case_sensitive=true)
{'b': 1, 'a': 2} | dictsort(by='value')
{'b': 1, 'a': 2} | dictsort(reverse=true)
{'a': 1} | items | list
missing | items | list
[1] | items | list
nums | batch(2) | list
nums | batch(2, 0) | list
nums | slice(2) | list
nums | slice(3, 'x') | list
messages | groupby('role') | map('first') | list
[{'k': 1, 'v': 2}, {'k': 1, 'v': 3}] | groupby('k') | list | length
text | indent
text | indent(2)
text | indent(2, true)
text | indent(2, true, true)
text | indent('> ', first=true)
text | indent(width=1, blank=true)
'' | indent
'one two three four' | truncate(10)
'one two three four' | truncate(10, true)
'one two three four' | truncate(10, false, '~', 0)
'abc' | truncate(3)
'one two three' | wordcount
'abc' | center(9)
('abc' | attr('upper'))()
d | attr('b')
d | attr('__class__')
nums | nope
nums | tojson
d | tojson
d | tojson(indent=2)
d | tojson(indent=0)
[] | tojson(indent=2)
[[], {}, [1, {'a': [2]}]] | tojson(indent=4)
d | tojson(separators=(',', ':'))
d | tojson(sort_keys=true)
'é🙂<&\\n\\t\\x01"\\\\' | tojson
'é🙂' | tojson(ensure_ascii=true)
[1.0, 1e20, 0.1, none, true] | tojson
{1: 2, none: 3, true: 4} | tojson
(1, 2) | tojson
missing | tojson
range(2) | tojson
[missing] | tojson
nothing | tojson
1 is defined
missing is defined
missing is undefined
missing.x is defined
d.nope is defined
d.nope is not defined
none is none
missing is none
0 is none
d is mapping
nums is mapping
s is string
1 is string
nums is sequence
s is sequence
d is sequence
1 is sequence
(1,) is sequence
missing is sequence
s is iterable
1 is iterable
d.items() is iterable
d.items() is sequence
1 is number
1.5 is number
true is number
'1' is number
1 is integer
true is integer
1.0 is integer
1.5 is float
1 is float
true is boolean
1 is boolean
true is true
1 is true
false is false
0 is false
none is false
3 is odd
3 is even
4 is divisibleby 2
4 is divisibleby(3)
1 is eq 1
1 is equalto(1.0)
1 is ne 2
1 is == 1
2 is gt 1
2 is ge(2)
1 is lt 2
1 is le 1
2 is greaterthan 1
1 is lessthan 2
1 is in [1, 2]
'a' is in 'abc'
1 is not in [1]
1 is sameas 1
none is sameas none
'abc' is lower
'ABC' is upper
'aBC' is lower
s.upper is callable
s is callable
'a' is escaped
1 is nope
not missing is defined
missing is defined and missing.x.y
missing is not defined or missing
d.a is defined and d.a is not none
1 is defined and 2 is defined
'a' is string ~ 'x'
raise_exception('no')
raise_exception('no: ' ~ 1)
strftime_now('%d %b %Y')
strftime_now('%Y-%m-%d %H:%M:%S %A %B %j %p %I %y %a %% %e')
strftime_now('%-d/%-m')
s.upper(1)
s.split(nope=1)
nums | join(1, 2, 3, 4)
1 | upper
none | upper
[1, 2,]
{'a': 1,}
dict(a=1,)
(1, 2,)
1, 2
joiner()() ~ 1
cycler(1, 2).next()
cycler(1, 2).current
cycler()
messages | map(attribute='role') | unique | list
messages | map(attribute='content') | map('trim') | map('length') | list
messages | selectattr('role', 'equalto', 'user') | map(attribute='content') | join(' ') | upper
(messages | last).content
(messages | length) - 1
messages | length - 1
- nums[0]
+ 3
1 - -1
[1, 2, 3] | map('string') | join
d | length
[d.b, d['a'][0]]
('a', 'b') | join
'a' in ('a', 'b')
'a' in 'a' == true
x == 1 if x is defined else 'unset'
*nums
""".strip("\n").split("\n")

BLOCKS = [
    # Loops
    "{% for i in [1,2,3] %}a{{ i }}{% if i==2 %}{% break %}{% endif %}b{% endfor %}",
    "{% for i in [1,2,3] %}a{{ i }}{% if i==2 %}{% continue %}{% endif %}b{% endfor %}",
    "{% for i in [1,2] %}{% for j in [1,2,3] %}{{ i }}{{ j }} {% if j == 2 %}{% break %}{% endif %}{% endfor %};{% endfor %}",
    "{% for i in [] %}x{% else %}none{% endfor %}",
    "{% for i in [1] %}{% break %}{% else %}none{% endfor %}",
    "{% for i in [1, 2] %}{% if i == 2 %}{% break %}{% endif %}{% else %}none{% endfor %}",
    "{% for i in [1, 2] %}{% continue %}{% else %}none{% endfor %}",
    "{% for i in nums if i > 1 %}{{ loop.index }}/{{ loop.length }}:{{ i }} {% else %}none{% endfor %}",
    "{% for i in nums if i > 100 %}x{% else %}none{% endfor %}",
    "{% for i in 'aé🙂' %}{{ i }}|{% endfor %}",
    "{% for k in d %}{{ k }} {% endfor %}",
    "{% for k, v in d.items() %}{{ k }}={{ v }} {% endfor %}",
    "{% for k, v in d | items %}{{ k }} {% endfor %}",
    "{% for k, v in d | dictsort %}{{ k }} {% endfor %}",
    "{% for (a, b), c in [((1, 2), 3)] %}{{ a }}{{ b }}{{ c }}{% endfor %}",
    "{% for a, b in [(1, 2, 3)] %}{{ a }}{% endfor %}",
    "{% for a, b in [(1,)] %}{{ a }}{% endfor %}",
    "{% for a, b in [1] %}{{ a }}{% endfor %}",
    "{% for i in none %}x{% endfor %}",
    "{% for i in 1 %}x{% endfor %}",
    "{% for i in missing %}x{% else %}none{% endfor %}",
    "{% for i in missing.x %}x{% endfor %}",
    "{% for i in 1, 2 %}{{ i }}{% endfor %}",
    "{% for i in range(3) %}{{ i }}{% endfor %}",
    "{% for i in nums | reverse %}{{ i }} {{ loop.revindex }} {{ loop.revindex0 }};{% endfor %}",
    "{% for i in nums %}{{ loop.first }}{{ loop.last }}{{ loop.index0 }} {% endfor %}",
    "{% for i in nums %}{{ loop.previtem }}<{{ i }}>{{ loop.nextitem }} {% endfor %}",
    "{% for i in nums %}{% if loop.previtem is defined %}{{ i - loop.previtem }} {% endif %}{% endfor %}",
    "{% for i in nums %}{{ loop.cycle('a', 'b') }}{% endfor %}",
    "{% for i in [1,1,2] %}{% if loop.changed(i) %}{{ i }}{% endif %}{% endfor %}",
    "{% for i in [1,2] %}{{ loop.nope }}{{ loop }}{% endfor %}",
    "{% for i in [1] %}{% for j in [1, 2] %}{{ loop.index }}{% endfor %}{{ loop.index }}{% endfor %}",
    "{% for n in tree recursive %}{{ n.n }}@{{ loop.depth }}{{ loop.depth0 }}({{ loop(n.c) }}){% endfor %}",
    "{% for n in tree %}{{ loop(n.c) }}{% endfor %}",
    "{{ loop }}{% for i in [1] %}{% endfor %}{{ loop is defined }}{{ i is defined }}",
    "{% for m in messages %}{% if m.role == 'system' %}S{% elif m.role == 'user' %}U{% else %}O{% endif %}{% endfor %}",
    "{% for m in messages[::-1] %}{{ (messages|length - 1) - loop.index0 }}{{ m.role[0] }} {% endfor %}",
    "{% for m in messages[1:] %}{{ m.role }} {% endfor %}{{ messages[1:] | length }}",
    "{% for m in messages %}{{ m['role'] ~ ': ' ~ m.content | trim }}\n{% endfor %}",
    "{% for m in messages if m.role != 'system' %}{{ loop.index0 % 2 == 0 }}{% endfor %}",
    "{%- for x in [1, 2] -%}\n  {{ x }}\n{%- endfor -%}\n",
    # Scopes
    "{% set x = 1 %}{% for i in [1,2] %}{{ x }}{% set x = x + i %}{{ x }} {% endfor %}{{ x }}",
    "{% set x = 1 %}{% if true %}{% set x = 2 %}{% endif %}{{ x }}",
    "{% if false %}{% set x = 2 %}{% endif %}{{ x is defined }}",
    "{% set ns = namespace(x=1) %}{% for i in [1,2] %}{% set ns.x = ns.x + i %}{% endfor %}{{ ns.x }}",
    "{% set ns = namespace(x=[]) %}{% for i in [1,2] %}{% set ns.x = ns.x + [i] %}{% endfor %}{{ ns.x }}",
    "{% set ns = namespace() %}{% set ns.y = 1 %}{{ ns.y }}{{ ns.z is defined }}",
    "{% set ns = namespace() %}{% set ns.__class__ = 1 %}",
    "{% set ns = namespace() %}{% set ns.constructor = 1 %}{{ ns.constructor }}",
    "{% set x = {} %}{% set x.y = 1 %}",
    "{% set x.y = 1 %}",
    "{% set a, b = 1, 2 %}{{ a }}{{ b }}",
    "{% set a, b = [1, 2, 3] %}",
    "{% set x = 1, 2 %}{{ x }}",
    "{% set constructor = 1 %}{{ constructor }}{{ __proto__ is defined }}{{ toString is defined }}",
    "{% set __proto__ = 'p' %}{{ __proto__ }}",
    "{% set x %}a{{ 1 }}\n b{% endset %}[{{ x }}]",
    "{% set x | trim | upper %}  a {% endset %}[{{ x }}]",
    "{% set x %}{% set y = 1 %}{% endset %}{{ y is defined }}",
    "{% set messages = messages[1:] %}{{ messages | length }}",
    "{% with a = 1, b = 2 %}{{ a + b }}{% endwith %}{{ a is defined }}",
    "{% with %}{% set a = 1 %}{{ a }}{% endwith %}{{ a is defined }}",
    "{% set a = 1 %}{% with a = 2, b = a %}{{ a }}{{ b }}{% endwith %}",
    "{% filter upper %}a{{ 'b' }}{% endfilter %}",
    "{% filter trim | replace('a', 'x') %}  banana {% endfilter %}",
    "{% generation %}a{% set x = 1 %}{{ x }}{% endgeneration %}{{ x is defined }}",
    "a\n  {%- generation -%}  b  {%- endgeneration -%}\n c",
    "{% for m in messages %}{% if m.role == 'assistant' %}{% generation %}{{ m.content }}{% endgeneration %}{% endif %}{% endfor %}",
    # Macros
    "{% macro m(a, b=2) %}{{ a }}{{ b }}{% endmacro %}{{ m(1) }} {{ m(1, 3) }} {{ m(b=5, a=4) }} {{ m() }}",
    "{% macro m(a, b=a) %}{{ a }}{{ b }}{% endmacro %}{{ m(1) }}",
    "{% macro m(a) %}{{ a }}{% endmacro %}{{ m(1, 2) }}",
    "{% macro m(a) %}{{ a }}{% endmacro %}{{ m(x=2) }}",
    "{% macro m(a) %}{{ a }}{% endmacro %}{{ m(1, a=2) }}",
    "{% macro m() %}{{ varargs }}{{ kwargs }}{% endmacro %}{{ m(1, 2, a=3) }}",
    "{% macro m(a) %}{{ a + 1 }}{% endmacro %}{{ m() }}",
    "{% macro m() %}  a\n{% endmacro %}[{{ m() }}][{{ m() | trim }}]",
    "{% macro m() %}{{ x }}{% endmacro %}{% set x = 1 %}{{ m() }}",
    "{% macro m() %}{% set y = 1 %}{% endmacro %}{{ m() }}{{ y is defined }}",
    "{% macro f(n) %}{{ n }}{% if n > 0 %}{{ f(n - 1) }}{% endif %}{% endmacro %}{{ f(3) }}",
    "{% macro f(x) %}{{ x if x is not mapping else f(x.v) }}{% endmacro %}{{ f({'v': {'v': 7}}) }}",
    "{% for i in [1] %}{% macro m() %}{{ i }}{% endmacro %}{{ m() }}{% endfor %}",
    "{% macro m(a='x', *b) %}{% endmacro %}",
    "{% macro m(a=1, b) %}{% endmacro %}",
    "{% macro outer() %}<{{ caller() }}>{% endmacro %}{% call outer() %}in{% endcall %}",
    "{% macro outer(x) %}{{ caller(x, 2) }}{% endmacro %}{% call(a, b) outer(1) %}{{ a }}{{ b }}{% endcall %}",
    "{% macro outer() %}x{% endmacro %}{% call outer() %}in{% endcall %}",
    "{% macro outer() %}{{ caller() }}{% endmacro %}{{ outer() }}",
    "{% macro m(a) %}{{ a }}{% endmacro %}{{ m(*[1]) }}{{ m(**{'a': 2}) }}",
    "{% macro m(constructor) %}{{ constructor }}{% endmacro %}{{ m(constructor=1) }}{{ m(**{'constructor': 2}) }}",
    "{% set j = joiner('|') %}{% for i in [1,2,3] %}{{ j() }}{{ i }}{% endfor %}",
    "{% set c = cycler('a', 'b') %}{% for i in [1,2,3] %}{{ c.next() }}{% endfor %}{{ c.current }}",
    # White space
    "a\n{% if true %}\nb\n{% endif %}\nc\n",
    "a\n  {% if true %}\n  b\n  {% endif %}\n  c\n",
    "a\n  {%+ if true %}\n  b\n  {%+ endif +%}\n  c\n",
    "a\n  {%- if true -%}\n  b\n  {%- endif -%}\n  c\n",
    "a {% if true %} b {% endif %} c",
    "a\n  {{ 1 }}\n  {{- 2 }}\n  {{ 3 -}}\n  b",
    "a\n  {# note #}\n  b {# x #} c\n  {#- y -#}\n  d",
    "  {# a #}  {# b #}\nx",
    "{# {{ not }} {% parsed #}x",
    "  {% set x = 1 %}  {% set y = 2 %}\n{{ x }}",
    "a\r\n{% if true %}\r\nb\r\n{% endif %}\r\nc\r\n",
    "a\rb\r\n{{ 'x\r\ny' }}",
    "a\n\n",
    "\n",
    "",
    "\ta\n\t{% if true %}\n\tb\n\t{% endif %}",
    "{% raw %}{{ x }} {% if %}{% endraw %} y",
    "a\n  {% raw %}\n  {{ x }}\n  {% endraw %}\nb",
    "a\n  {%- raw -%}\n  {{ x }}\n  {%- endraw -%}\nb",
    "{{ '-}}\n' }}{{ '%}\n  {% x' }}",
    "{{ {'a': {'b': 1}}}}",
    "{{ '{{' }}{{ \"}}\" }}{{ '{% x %}' }}",
    "{%if true%}a{%else%}b{%endif%}",
    "{%\n  if\n  true\n%}\na\n{% endif %}",
    "{{ 1\n+\n2 }}",
    "{{ 'two\nlines' }}",
    "{{- ' a ' -}}  b",
    "<|x|>{{ bos_token }}{ {{ 1 }} } {a} %}",
    "a }} b %} c #} {",
    # Faults of the template
    "{% if %}",
    "{% if true %}",
    "{% endif %}",
    "{{ 1",
    "{{ }}",
    "{{ 1 2 }}",
    "{{ a. }}",
    "{{ [1 }}",
    "{{ 'a }}",
    "{{ 1 | }}",
    "{{ x is }}",
    "{{ a b }}",
    "{{ f(a=1, 2 }}",
    "{% for in x %}{% endfor %}",
    "{% for x y %}{% endfor %}",
    "{% set true = 1 %}",
    "{% set 1 = 1 %}",
    "{% nope %}",
    "{% break %}",
    "{% for i in [1] %}{% macro m() %}{% break %}{% endmacro %}{% endfor %}",
    "{# open",
    "{% raw %} open",
    "{% do x %}",
    "{{ 1 ! 2 }}",
    "{{ a && b }}",
    "{% macro m(1) %}{% endmacro %}",
    "{% call 1 %}{% endcall %}",
    # What templates of chat models do
    "{% if messages | selectattr('role', 'undefined') | list | length > 0 %}{{ raise_exception('roles!') }}{% endif %}ok",
    "{%- set loop_messages = messages[1:] %}{%- set ns = namespace(index=0) %}{%- for message in loop_messages %}"
    "{%- if not (message.role == 'tool' or (message.tool_calls is defined and message.tool_calls is not none)) %}"
    "{%- if (message['role'] == 'user') != (ns.index % 2 == 0) %}{{- raise_exception('roles must alternate') }}{%- endif %}"
    "{%- set ns.index = ns.index + 1 %}{%- endif %}{%- endfor %}{{ ns.index }}",
    "{% if messages[0]['role'] == 'system' %}{% set system_message = messages[0]['content'] | trim %}{% set messages = messages[1:] %}"
    "{% else %}{% set system_message = '' %}{% endif %}{{ system_message }}{{ messages[0].role }}",
    "{%- if tools is not none and tools %}T{%- else %}N{%- endif %}{% if not tools %}n{% endif %}",
    "{% if add_generation_prompt is defined and add_generation_prompt %}g{% endif %}{% if enable_thinking is defined and enable_thinking is false %}f{% endif %}.",
    "{%- for m in messages | rejectattr('role', 'equalto', 'tool') %}{{ loop.last }}{{ m.role }} {% endfor %}",
    "{% set content = messages[2].content %}{{ content.split('\n')[-1].rstrip() }}|{{ content.strip('\n') }}|{{ content | trim }}",
    "{% for m in messages %}{{ m.get('name', '-') }}{% if 'tool_calls' in m %}{{ m.tool_calls | tojson }}{% endif %}{% endfor %}",
    "{% if messages[0].content is string %}s{% elif messages[0].content is iterable %}i{% endif %}",
    "{{ '<|' + messages[0]['role'] + '|>\\n' + messages[0]['content'] + '\\n' }}",
    "{% set date = strftime_now('%d %b %Y') if strftime_now is defined else '26 Jul 2024' %}{{ date }}",
    "{% if messages[1] is not defined %}a{% endif %}{% if messages[9] is not defined %}b{% endif %}{% if messages[9].role is defined %}{% endif %}",
]

SNIPPETS = [*(f"{{{{ {expression} }}}}" for expression in EXPRESSIONS), *BLOCKS]
