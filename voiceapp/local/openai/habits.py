"""What callers usually say: patterns that teach the grammar's automaton which of its ways are common.

Without them every word that the grammar allows is as likely as any other, and a soft sound becomes an "um" or an "eight".
A pattern counts once, however many sentences it stands for. The rest of the grammar stays possible, only dearer.
"""

from __future__ import annotations

HABITS = """
(i would like | i'd like | can i have | can i get | could i have | could i get | i'll have | give me) (a | NUMBER) [SIZE] ITEM [please]
(i would like | i'd like | can i have | can i get | could i have | could i get | i'll have) (a | NUMBER) [SIZE] ITEM [KIND] with MODIFIER [please]
(i would like | i'd like | can i have | can i get | could i have | could i get | i'll have) (a | NUMBER) [SIZE] ITEM [KIND] with MODIFIER and MODIFIER [please]
(i would like | i'd like | can i have | can i get | could i get | i'll have) (a | NUMBER) [SIZE] ITEM and (a | NUMBER) [SIZE] ITEM [please]
(i would like | i'd like | can i have | can i get | could i get | i'll have) (a | NUMBER) [SIZE] ITEM with MODIFIER and (a | NUMBER) [SIZE] ITEM [please]
(i'd like | can i have | can i get) (a | NUMBER) [SIZE] ITEM with MODIFIER and MODIFIER and (a | NUMBER) [SIZE] ITEM [please]
(i'd like | can i have | can i get | i would like) (a | NUMBER) [SIZE] ITEM (a | NUMBER) [SIZE] ITEM and (a | NUMBER) [SIZE] ITEM [please]
(i'd like | i would like) to order (a | NUMBER) [SIZE] ITEM [KIND] [please]
(i'd like | i would like) to order (a | NUMBER) [SIZE] ITEM and (a | NUMBER) [SIZE] ITEM [please]
(can i | could i | i'd like to | i would like to) order (a | NUMBER) [SIZE] MODIFIER ITEM with MODIFIER and (a | NUMBER) [SIZE] ITEM [please]
(hi | hello) (i'd like | can i have | can i get | i would like | could i get) (a | NUMBER) [SIZE] ITEM [KIND] [with MODIFIER] [please]
(hi | hello) (i'd like | i would like) to order (a | NUMBER) [SIZE] ITEM [with MODIFIER] [please]
um (hi | i'd like | can i have) (a | NUMBER) [SIZE] ITEM [with MODIFIER] [please]
um hi i'd like to order (a | NUMBER) [SIZE] ITEM [with no MODIFIER] [please]
(a | NUMBER) [SIZE] ITEM [KIND] [please]
(a | NUMBER) [SIZE] ITEM with MODIFIER [and MODIFIER] [please]
(a | NUMBER) [SIZE] ITEM and (a | NUMBER) [SIZE] ITEM [please]
(a | NUMBER) [SIZE] ITEM with MODIFIER and (a | NUMBER) [SIZE] ITEM [please]
and (a | NUMBER) [SIZE] ITEM [please]
and [also] (i'd like | can i get) (a | NUMBER) ITEM [please]
yes (i'd like | can i have | i would like | can i get) (a | NUMBER) [SIZE] ITEM [with MODIFIER] [please]
yes (a | NUMBER) [SIZE] ITEM [please]
yes and (a | NUMBER) [SIZE] ITEM [please]
(i'd like | i'll have | can i get) the ITEM [and (a | NUMBER) ITEM] [please]
ITEM [please]
the ITEM [please]
SIZE ITEM [please]
(i'd like | can i have | can i get | could i get) (a | NUMBER) [SIZE] ITEM (without | with no | no) (MODIFIER | INGREDIENT) [please]
(a | NUMBER) [SIZE] ITEM (without | with no | no) (MODIFIER | INGREDIENT) [please]
(i'd like | can i have | can i get) (a | NUMBER) [SIZE] ITEM with MODIFIER and no (MODIFIER | INGREDIENT) [please]
[i'd like] a ITEM instead
[please] add (a | NUMBER | another | one more) ITEM [please]
[please] add NUMBER more ITEM
can (i | you) [please] add (a | NUMBER | another) ITEM [please]
could you add (a | NUMBER) ITEM [please]
(another | one more) ITEM [please]
NUMBER more ITEM [please]
(a ITEM too | a ITEM as well) [please]
add MODIFIER [to (that | it | the ITEM)] [please]
add MODIFIER and MODIFIER [to (that | it | the ITEM)]
(can i | can you | could you | could i) add MODIFIER [to (that | it | the ITEM)] [please]
(can i get | i'd like | with) MODIFIER [on (that | it | the ITEM)] [please]
MODIFIER [please]
MODIFIER and MODIFIER [please]
(no | without) (MODIFIER | INGREDIENT) [please]
no MODIFIER on (that | it | the ITEM) [please]
make (that | it) NUMBER [please]
make (that | it) [a] SIZE [one] [please]
make (that | it) NUMBER [SIZE] ITEM [please]
make the ITEM [a] SIZE [please]
make (that | it) [with] MODIFIER [please]
make the ITEM [with] MODIFIER
(no | actually | sorry | wait) make (that | it) NUMBER [please]
(no | actually | sorry | wait) make (that | it) [a] SIZE [please]
(no | actually | sorry | wait) make the ITEM [a] SIZE [please]
no (actually | sorry | wait) make (that | it) (NUMBER | SIZE) [please]
can you make (that | it) (NUMBER | a SIZE | SIZE) [please]
(could you | can we) make (that | it) (NUMBER | SIZE)
no i said NUMBER [ITEM]
no i said [a] SIZE
[no | sorry] i (said | meant) (NUMBER | a SIZE) [ITEM]
[no | sorry] i meant a [SIZE] ITEM
(change | switch) the ITEM to a (SIZE | ITEM | SIZE ITEM) [please]
(change | switch) (that | it) to a (SIZE | ITEM | SIZE ITEM) [please]
change (that | it | the ITEM) to (SIZE | NUMBER | MODIFIER) [please]
change the SIZE ITEM to a SIZE [ITEM] [please]
(can you | could you | can i | could i) change the ITEM to a (SIZE | ITEM | SIZE ITEM) [please]
(can you | could you | can i | could i) change (that | it) to a (SIZE | ITEM | SIZE ITEM) [please]
(actually | sorry | no) (change | switch) (the ITEM | that | it) to a (SIZE | ITEM | SIZE ITEM) [please]
(swap | replace) the ITEM (for | with) a ITEM [please]
change the MODIFIER to MODIFIER [please]
(remove | cancel | delete) the ITEM [please]
(actually | sorry | no) (remove | cancel) the ITEM [please]
(can you | could you) [please] (remove | cancel | take off) the ITEM [please]
(take off | leave out | remove) the (MODIFIER | INGREDIENT) [please]
take the MODIFIER off [the ITEM] [please]
(can you | could you) (take off | leave out | remove) the (MODIFIER | INGREDIENT) [please]
take off the MODIFIER from the ITEM
i don't want the (ITEM | MODIFIER) [anymore]
(actually | no) i don't want the (ITEM | MODIFIER) [anymore]
(actually | no) (take off | remove) the (MODIFIER | ITEM)
(remove | cancel) (that | it) [please]
(remove | cancel) the ITEM and add (a | NUMBER) [SIZE] ITEM [please]
actually (a | NUMBER) [SIZE] ITEM [please]
actually i'd like (a | NUMBER) [SIZE] ITEM [please]
no (a | NUMBER) [SIZE] ITEM [please]
sorry (a | NUMBER) [SIZE] ITEM [please]
(a | NUMBER) [SIZE] ITEM no make that NUMBER
instead of the ITEM i'd like a ITEM
(a | the) SIZE [one] [please]
SIZE [please]
NUMBER [please]
(another one | one more) please
the same again please
(start over | cancel everything | cancel my order | cancel the order) [please]
that's all [thank you | thanks | please]
that's all for now
that's it [thank you | thanks]
that is (all | it) [thank you | thanks]
(that will be | that'll be) all [thank you | thanks]
nothing else [thank you | thanks]
no [thank you] that's (all | it | everything)
no that's (all | it | everything) [thank you | thanks]
no that is (all | it)
no (thank you | thanks)
no nothing else [thank you | thanks]
and that's (all | it) [please | thanks]
(i'd like | can i get) (a | NUMBER) ITEM and that's (all | it) [thank you | thanks]
(a | NUMBER) ITEM and that's (all | it)
i'm (done | good)
yes [please]
yes [please] (that's | that is | it's) (right | correct | fine | good | perfect)
yes (thank you | thanks)
(yeah | yep | sure | correct | exactly | right | absolutely)
yeah that's (right | correct | fine | good)
(that's | that is) (right | correct)
(that's | that | it) sounds good
sounds (good | great | right)
(okay | great | perfect) (thank you | thanks)
okay
yes (place the order | go ahead) [please]
yes please (go ahead | place the order)
no
(no that's | that's) (wrong | not right | not correct)
(thank you | thanks) [goodbye | bye]
thank you very much [goodbye | bye]
(goodbye | bye)
okay (goodbye | bye)
(hello | hi)
what are your opening hours
what time do you (open | close) [today | tonight | tomorrow]
when do you (open | close) [today]
are you [still] open [today | tomorrow | now | on sunday]
how late are you open [today | tonight]
(hi | hello) what time do you close
how much is (a | the) [SIZE] ITEM [please]
how much (is | are | for) (MODIFIER | NUMBER ITEM)
how much (does | do) (a | the) [SIZE] ITEM cost
what does (a | the) [SIZE] ITEM cost
what's the price of (a | the) [SIZE] ITEM
what (KIND | CATEGORY) do you have
what kind of (KIND | CATEGORY) do you have
what GROUP do you have [for the ITEM]
what (toppings | extras | drinks | desserts | sides) do you have
what sizes do you have [for the ITEM]
what sizes are there
what sizes does the ITEM come in
do you have [a | any] (ITEM | CATEGORY | MODIFIER)
do you have any (drinks | desserts | specials | sides)
(what's | what is) (in | on) the ITEM
what comes (with | on) the ITEM
tell me about the ITEM
what about the ITEM
what's on the menu
what is on the menu
what do you have
what can i (order | get)
what do you recommend
(can you | could you) read (it | that | my order) back [please]
(can you | could you) repeat (my | the) order [please]
what's (my | the) (order | total)
how much is (it | that | everything) [in total | all together]
what do i have so far
[sorry] (can you | could you) [please] repeat that [please]
sorry what did you say
pardon
(can i | could i | may i) (speak | talk) (to | with) (a person | someone | a human | a manager | the manager | TARGET) [please]
(i'd like to | i want to | i would like to | i need to) (speak | talk) to (a person | someone | a human | a manager | the manager | TARGET) [please]
transfer me to (a person | someone | the manager | TARGET) [please]
[please | can you] put me through to (a person | someone | the manager | TARGET) [please]
(hi | hello) can i (speak | talk) to (a person | someone | the manager | a human) [please]
operator [please]
"""
