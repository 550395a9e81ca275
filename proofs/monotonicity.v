(** * The risk can rise

    Chapter 9. A distribution of three kinds of inputs with rational coordinates, where one input is
    better than two. All its risks are rational numbers, and they are computed here. *)

From mathcomp Require Import all_ssreflect all_algebra ring.
From Distillation Require Import linear closed_form mistakes angles risk_bound.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Import GRing.Theory Num.Theory Order.POrderTheory Order.TotalTheory.
Local Open Scope ring_scope.

(** The vector with the coordinates [l]. *)
Definition vec d (l : seq rat) : 'cV[rat]_d := \col_(j < d) l`_j.

(** The teacher $w^\star = (1, 0, 0)$. *)
Definition teacher3 : 'cV[rat]_3 := vec 3 [:: 1; 0; 0].

(** The inputs $x_a = (1, 1, 0)$, $x_b = (1, 3, 1)$, $x_c = (1, 0, 4)$, as the kinds
    0, 1 and 2 ... *)
Definition three_kinds (t : 'I_3) : 'cV[rat]_3 :=
  vec 3 (nth [::] [:: [:: 1; 1; 0]; [:: 1; 3%:R; 1]; [:: 1; 0; 4%:R]] t).

(** ... each with the probability $\frac13$. *)
Definition thirds (t : 'I_3) : rat := 3%:R^-1.

(** Kind [k] is in the transfer set. *)
Definition seen n (s : {ffun 'I_n -> 'I_3}) (k : 'I_3) : bool := [exists i, s i == k].

Lemma thirds_law : is_law thirds.
Proof. by split=> [t|] //; rewrite !big_ord_recl big_ord0; apply/eqP; vm_compute. Qed.

Lemma dot3 (l m : seq rat) :
  vec 3 l ⋅ vec 3 m = l`_0 * m`_0 + (l`_1 * m`_1 + l`_2 * m`_2).
Proof. by rewrite /dot !big_ord_recl big_ord0 !mxE addr0. Qed.

Notation kind_c := (inord 2 : 'I_3).

Lemma all3 (Q : 'I_3 -> Prop) : Q 0 -> Q 1 -> Q kind_c -> forall k, Q k.
Proof.
move=> q0 q1 q2 [[|[|[|k]]] h] //.
- by rewrite (_ : Ordinal h = 0) //; apply: val_inj.
- by rewrite (_ : Ordinal h = 1) //; apply: val_inj.
- by rewrite (_ : Ordinal h = kind_c) //; apply: val_inj; rewrite /= inordK.
Qed.

Lemma sum3 (V : zmodType) (F : 'I_3 -> V) : \sum_k F k = F 0 + F 1 + F kind_c.
Proof.
rewrite !big_ord_recl big_ord0 addr0 addrA; congr (F _ + F _ + F _); apply: val_inj => //=.
by rewrite inordK.
Qed.

Lemma kinds : (three_kinds 0 = vec 3 [:: 1; 1; 0]) * (three_kinds 1 = vec 3 [:: 1; 3%:R; 1])
  * (three_kinds kind_c = vec 3 [:: 1; 0; 4%:R]).
Proof. by rewrite /three_kinds /= inordK. Qed.

(** The combination of the inputs with the coefficients [a], [b], [c], and its logits. *)
Definition mixture (a b c : rat) : 'cV[rat]_3 :=
  a *: three_kinds 0 + b *: three_kinds 1 + c *: three_kinds kind_c.

Lemma mixture_logits a b c :
  [/\ mixture a b c ⋅ three_kinds 0 = 2%:R * a + 4%:R * b + c,
      mixture a b c ⋅ three_kinds 1 = 4%:R * a + 11%:R * b + 5%:R * c &
      mixture a b c ⋅ three_kinds kind_c = a + 5%:R * b + 17%:R * c].
Proof. by rewrite /mixture !dotDl !dotZl !kinds !dot3 /=; split; ring. Qed.

Lemma teacher_logits k : teacher3 ⋅ three_kinds k = 1.
Proof. by move: k; apply: all3; rewrite kinds dot3 /= !mul0r mul1r !addr0. Qed.

(** The student is a mixture of the inputs that the transfer set has seen, and gives them the
    teacher's logits. *)
Lemma student_mixture n (s : {ffun 'I_n -> 'I_3}) a b c :
  (a != 0 -> seen s 0) -> (b != 0 -> seen s 1) -> (c != 0 -> seen s kind_c) ->
  (seen s 0 -> 2%:R * a + 4%:R * b + c = 1) ->
  (seen s 1 -> 4%:R * a + 11%:R * b + 5%:R * c = 1) ->
  (seen s kind_c -> a + 5%:R * b + 17%:R * c = 1) ->
  student (inputs three_kinds s) teacher3 = mixture a b c.
Proof.
move=> a0 b0 c0 la lb lc; have [ma mb mc] := mixture_logits a b c.
have part e k : (e != 0 -> seen s k) -> in_span (inputs three_kinds s) (e *: three_kinds k).
  have [->|_] := eqVneq e 0; first by rewrite scale0r in_span_submx trmx0 sub0mx.
  case/(_ isT)/existsP=> i /eqP <-.
  by apply: in_spanZ; rewrite -input_inputs; apply: in_span_input.
apply/esym/student_unique; split; first by do 2?apply: in_spanD; apply: part.
move=> i; rewrite input_inputs ![three_kinds _ ⋅ _]dotC teacher_logits.
have : seen s (s i) by apply/existsP; exists i.
by move: (s i); apply: all3; rewrite ?ma ?mb ?mc.
Qed.

(** Each input that the mixture gives a negative logit is misjudged, with the weight $\frac13$. *)
Lemma risk_mixture a b c : transfer_risk thirds three_kinds (mixture a b c) teacher3
  = ((2%:R * a + 4%:R * b + c < 0)%R%:R + (4%:R * a + 11%:R * b + 5%:R * c < 0)%R%:R
    + (a + 5%:R * b + 17%:R * c < 0)%R%:R) / 3%:R.
Proof.
have [ma mb mc] := mixture_logits a b c.
by rewrite /transfer_risk probE sum3 /misjudged !teacher_logits ler01 ma mb mc /thirds !leNgt;
  rewrite !eqb_id !negbK -!mulrDr mulrC.
Qed.

Lemma risk_student n (s : {ffun 'I_n -> 'I_3}) (a b c : rat) :
  [&& (a == 0) || seen s 0, (b == 0) || seen s 1 & (c == 0) || seen s kind_c] ->
  [&& seen s 0 ==> (2%:R * a + 4%:R * b + c == 1),
      seen s 1 ==> (4%:R * a + 11%:R * b + 5%:R * c == 1) &
      seen s kind_c ==> (a + 5%:R * b + 17%:R * c == 1)] ->
  transfer_risk thirds three_kinds (student (inputs three_kinds s) teacher3) teacher3
    = ((2%:R * a + 4%:R * b + c < 0)%R%:R + (4%:R * a + 11%:R * b + 5%:R * c < 0)%R%:R
      + (a + 5%:R * b + 17%:R * c < 0)%R%:R) / 3%:R.
Proof.
case/and3P=> a0 b0 c0 /and3P[/implyP la /implyP lb /implyP lc].
rewrite (@student_mixture _ s a b c) ?risk_mixture //.
- by case/orP: a0 => // /eqP ->; rewrite eqxx.
- by case/orP: b0 => // /eqP ->; rewrite eqxx.
- by case/orP: c0 => // /eqP ->; rewrite eqxx.
- by move/la/eqP.
- by move/lb/eqP.
- by move/lc/eqP.
Qed.

(** What a student misjudges: [x_c], if it has seen [x_a] and [x_b] and nothing else. *)
Lemma risk_seen n (s : {ffun 'I_n -> 'I_3}) :
  transfer_risk thirds three_kinds (student (inputs three_kinds s) teacher3) teacher3
    = (seen s 0 && seen s 1 && ~~ seen s kind_c)%:R / 3%:R.
Proof.
have := @risk_student n s; move: (transfer_risk _ _ _ _) => r.
move: (seen s 0) (seen s 1) (seen s kind_c) => [] [] [] H.
- by rewrite (H (4%:R / 3%:R) (- (4%:R / 9%:R)) 9%:R^-1); first (apply/eqP; vm_compute); vm_compute.
- by rewrite (H (7%:R / 6%:R) (- (1%:R / 3%:R)) (0)); first (apply/eqP; vm_compute); vm_compute.
- by rewrite (H (16%:R / 33%:R) (0) (1%:R / 33%:R)); first (apply/eqP; vm_compute); vm_compute.
- by rewrite (H (1%:R / 2%:R) (0) (0)); first (apply/eqP; vm_compute); vm_compute.
- by rewrite (H (0) (2%:R / 27%:R) (1%:R / 27%:R)); first (apply/eqP; vm_compute); vm_compute.
- by rewrite (H (0) (1%:R / 11%:R) (0)); first (apply/eqP; vm_compute); vm_compute.
- by rewrite (H (0) (0) (1%:R / 17%:R)); first (apply/eqP; vm_compute); vm_compute.
- by rewrite (H (0) (0) (0)); first (apply/eqP; vm_compute); vm_compute.
Qed.

(** Chapter 9, prop-three-kinds, without the noise: $\mathbb{E} R = (2^n - 2) / 3^{n+1}$ ... *)
Theorem three_kinds_risk (n : nat) : (0 < n)%N ->
  expected_risk thirds three_kinds n teacher3 = (2%:R ^+ n - 2%:R) / 3%:R ^+ n.+1.
Proof.
move=> n0; have i0 := Ordinal n0.
pose none (E : pred 'I_3) (s : {ffun 'I_n -> 'I_3}) : rat := [forall i, E (s i)]%:R.
pose E1 k := k != kind_c; pose E2 (k : 'I_3) := k == 0; pose E3 (k : 'I_3) := k == 1.
transitivity (3%:R^-1 * (expectation thirds (none E1)
    + (-1) * expectation thirds (none E2) + (-1) * expectation thirds (none E3))).
  rewrite -!expectationZ -!expectationD -expectationZ; apply: eq_bigr => s _; congr (_ * _).
  rewrite risk_seen mulrC; congr (_ * _).
  have kind i : [|| s i == 0, s i == 1 | s i == kind_c].
    by move: (s i); apply: all3; rewrite eqxx ?orbT.
  have e1 : [forall i, E1 (s i)] = ~~ seen s kind_c by rewrite /seen negb_exists.
  have e2 : [forall i, E2 (s i)] = ~~ seen s 1 && ~~ seen s kind_c.
    rewrite /seen !negb_exists; apply/forallP/andP => [h|[/forallP h1 /forallP h2] i].
      by split; apply/forallP => i; rewrite (eqP (h i)) // -val_eqE /= ?inordK.
    by move: (kind i); rewrite (negbTE (h1 i)) (negbTE (h2 i)) !orbF.
  have e3 : [forall i, E3 (s i)] = ~~ seen s 0 && ~~ seen s kind_c.
    rewrite /seen !negb_exists; apply/forallP/andP => [h|[/forallP h1 /forallP h2] i].
      by split; apply/forallP => i; rewrite (eqP (h i)) // -val_eqE /= ?inordK.
    by move: (kind i); rewrite (negbTE (h1 i)) (negbTE (h2 i)) orbF.
  have some : [|| seen s 0, seen s 1 | seen s kind_c].
    by move: (kind i0) => /or3P[] h; apply/or3P;
      [apply: Or31|apply: Or32|apply: Or33]; apply/existsP; exists i0.
  rewrite /none e1 e2 e3; move: some.
  by case: (seen s 0); case: (seen s 1); case: (seen s kind_c) => //= _; apply/eqP; vm_compute.
have p1 : prob thirds E1 = 2%:R / 3%:R by rewrite probE sum3 /thirds /E1 -!val_eqE /= inordK.
have p2 : prob thirds E2 = 3%:R^-1 by rewrite probE sum3 /thirds /E2 -!val_eqE /= inordK.
have p3 : prob thirds E3 = 3%:R^-1 by rewrite probE sum3 /thirds /E3 -!val_eqE /= inordK.
rewrite /none !expectation_all p1 p2 p3 exprMn exprVn exprS invfM.
move: (2%:R ^+ n) (3%:R ^- n) (3%:R^-1) => u v w; ring.
Qed.

(** ... so that it is 0 with one input, more with two; and with three inputs, as many as
    dimensions, it isn't 0 either, as the distribution has no density. *)
Theorem three_kinds_rise :
  [/\ expected_risk thirds three_kinds 1 teacher3 = 0,
      expected_risk thirds three_kinds 2 teacher3 = 2%:R / 27%:R &
      expected_risk thirds three_kinds 3 teacher3 = 2%:R / 27%:R].
Proof. by split; rewrite three_kinds_risk //; apply/eqP; vm_compute. Qed.

(** The two transfer sets of a chain: the first input alone, then both. *)
Definition first_only : {ffun 'I_1 -> 'I_3} := [ffun=> 0].
Definition first_and_second : {ffun 'I_2 -> 'I_3} := [ffun i => if i == 0 then 0 else 1].

(** The same on one chain: [x_b] joins [x_a]. The student's angle falls, $\cos^2 A$ from
    $\frac12$ to $\frac56$, and its risk rises from 0 to $\frac13$. *)
Theorem angle_falls_risk_rises :
  let w1 := student (inputs three_kinds first_only) teacher3 in
  let w2 := student (inputs three_kinds first_and_second) teacher3 in
  [/\ cos2 w1 teacher3 = 1 / 2%:R, cos2 w2 teacher3 = 5%:R / 6%:R,
      transfer_risk thirds three_kinds w1 teacher3 = 0 &
      transfer_risk thirds three_kinds w2 teacher3 = 1 / 3%:R].
Proof.
have s10 : seen first_only 0 by apply/existsP; exists 0; rewrite ffunE.
have s1 k : k != 0 -> ~~ seen first_only k.
  by move=> k0; rewrite negb_exists; apply/forallP => i; rewrite ffunE eq_sym.
have s20 : seen first_and_second 0 by apply/existsP; exists 0; rewrite ffunE.
have s21 : seen first_and_second 1 by apply/existsP; exists 1; rewrite ffunE.
have s22 : ~~ seen first_and_second kind_c.
  rewrite negb_exists; apply/forallP => i; rewrite ffunE -val_eqE /= inordK //.
  by case: ifP.
have n1 : (1 : 'I_3) != 0 by [].
have n2 : kind_c != 0 by rewrite -val_eqE /= inordK.
move=> w1 w2; rewrite (student_angle _ _).2 (student_angle _ _).2 !risk_seen.
rewrite s10 (negbTE (s1 _ n1)) s20 s21 s22 !andbF -/w1 -/w2.
have e1 : w1 = mixture (1 / 2%:R) 0 0.
  by apply: student_mixture; rewrite ?eqxx ?s10 ?(negbTE (s1 _ n1)) ?(negbTE (s1 _ n2)).
have e2 : w2 = mixture (7%:R / 6%:R) (- (1 / 3%:R)) 0.
  by apply: student_mixture; rewrite ?eqxx ?s20 ?s21 ?(negbTE s22).
have nt : ‖teacher3‖² = 1 by rewrite /sqnorm dot3; apply/eqP; vm_compute.
have n3 a b c : ‖mixture a b c‖²
    = a * (2%:R * a + 4%:R * b + c) + b * (4%:R * a + 11%:R * b + 5%:R * c)
      + c * (a + 5%:R * b + 17%:R * c).
  have [ma mb mc] := mixture_logits a b c.
  by rewrite -ma -mb -mc /sqnorm {1}/mixture !dotDr !dotZr.
by rewrite e1 e2 nt !n3; split; apply/eqP; vm_compute.
Qed.
