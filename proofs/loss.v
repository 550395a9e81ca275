(** * The loss is 0 only for perfect students

    Chapters 1 and 3, with logarithms: [R] are the real numbers. *)

From mathcomp Require Import all_ssreflect all_algebra ring.
From mathcomp Require Import boolp classical_sets reals topology normedtype derive.
From mathcomp Require Import sequences realfun exp.
From Distillation Require Import linear span closed_form logistic.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Import GRing.Theory Num.Theory Order.POrderTheory Order.TotalTheory.
Import numFieldNormedType.Exports.
Local Open Scope ring_scope.

(** ** Definitions *)

(** $\operatorname{KL}(y \,\|\, s)$ and $\operatorname{CE}(y, s)$ of two coins. *)
Definition kl (R : realType) (y s : R) : R :=
  y * ln (y / s) + (1 - y) * ln ((1 - y) / (1 - s)).
Definition cross_entropy (R : realType) (y s : R) : R :=
  - (y * ln s) - (1 - y) * ln (1 - s).

(** The distillation loss $L(w)$: the mean divergence of the student's answers from the labels. *)
Definition loss (R : realType) n d (X : 'M[R]_(n, d)) (ws w : 'cV[R]_d) : R :=
  n%:R^-1 * \sum_(i < n)
    kl (soft_labels (@logistic R) X ws i) (logistic (input X i ⋅ w)).

(** ** Theorems *)

Section Logarithm.
Variable R : realType.
Implicit Types x t y s : R.

Lemma expR_gt1Dx_all x : x != 0 -> 1 + x < expR x.
Proof.
have der c : is_derive c (1 : R) (@expR R) (expR c) by exact: is_derive_expR.
have cont a b : {within `[a, b]%classic, continuous (@expR R)}.
  by apply: continuous_subspaceT => c; apply: continuous_expR.
have [x0|x0|->] := ltgtP x 0 => //.
  move=> _; have [c cx] := MVT x0 (fun c _ => der c) (cont _ _).
  have c1 : expR c < 1 by rewrite expR_lt1 (itvP cx).
  rewrite expR0 sub0r => e.
  have -> : expR x = 1 + expR c * x by rewrite -[LHS](subKr 1) e mulrN opprK.
  rewrite ltr_add2l -subr_gt0 -[X in _ - X]mul1r -mulrBl.
  by rewrite nmulr_rgt0 // subr_lt0.
move=> _; have [c cx] := MVT x0 (fun c _ => der c) (cont _ _).
have c1 : 1 < expR c by rewrite expR_gt1 (itvP cx).
rewrite expR0 subr0 => e.
have -> : expR x = 1 + expR c * x by rewrite -e addrC subrK.
by rewrite ltr_add2l -subr_gt0 -[X in _ - X]mul1r -mulrBl pmulr_rgt0 // subr_gt0.
Qed.

Lemma ln_lt t : 0 < t -> t != 1 -> ln t < t - 1.
Proof.
move=> t0 t1; have e : expR (ln t) = t by rewrite lnK ?posrE.
have n0 : ln t != 0 by apply: contraNneq t1 => h; rewrite -e h expR0.
by rewrite ltr_subr_addl -{2}e expR_gt1Dx_all.
Qed.

Lemma kl_term y s : 0 < y -> 0 < s -> s != y -> y - s < y * ln (y / s).
Proof.
move=> y0 s0 ne; have r0 : 0 < s / y by rewrite divr_gt0.
have r1 : s / y != 1 by rewrite -(inj_eq (mulIf (lt0r_neq0 y0))) divfK ?lt0r_neq0 // mul1r.
rewrite -(invf_div s y) lnV ?posrE // mulrN ltr_oppr opprB.
have -> : s - y = y * (s / y - 1) by rewrite mulrBr mulr1 mulrCA divff ?lt0r_neq0 // mulr1.
by rewrite ltr_pmul2l // ln_lt.
Qed.

End Logarithm.

(** Chapter 1, prop-two-losses: $\operatorname{CE} - \operatorname{KL}$ is the entropy of the
    label, ... *)
Theorem cross_entropy_minus_kl (R : realType) (y s : R) :
  0 < y < 1 -> 0 < s < 1 ->
  cross_entropy y s - kl y s = - (y * ln y) - (1 - y) * ln (1 - y).
Proof.
case/andP=> y0 y1 /andP[s0 s1]; rewrite /kl /cross_entropy.
by rewrite !ln_div ?posrE ?subr_gt0 //; ring.
Qed.

(** ... and $\operatorname{KL}(y \,\|\, s) \ge 0$, with equality only for $s = y$. *)
Theorem kl_positive (R : realType) (y s : R) :
  0 < y < 1 -> 0 < s < 1 -> 0 <= kl y s /\ (kl y s = 0 <-> s = y).
Proof.
case/andP=> y0 y1 /andP[s0 s1]; have y10 : 0 < 1 - y by rewrite subr_gt0.
have s10 : 0 < 1 - s by rewrite subr_gt0.
have same : kl y y = 0 by rewrite /kl !divff ?lt0r_neq0 // ln1 !mulr0 addr0.
have pos : s != y -> 0 < kl y s.
  move=> ne; have -> : 0 = (y - s) + ((1 - y) - (1 - s)) :> R by ring.
  apply: ltr_add; first exact: kl_term.
  by apply: kl_term => //; apply: contraNneq ne => /(addrI _)/oppr_inj ->.
split; first by have [->|/pos/ltW//] := eqVneq s y; rewrite same.
split=> [h|->//]; apply/eqP/negPn/negP => /pos; by rewrite h ltxx.
Qed.

(** Chapter 3, prop-minimisers: $L(w) = 0$ if and only if $X w = X w^\star$. *)
Theorem loss_zero (R : realType) n d (X : 'M[R]_(n, d)) (ws w : 'cV[R]_d) :
  (0 < n)%N -> loss X ws w = 0 <-> X *m w = X *m ws.
Proof.
move=> n0; rewrite -(perfect_iff_logits X ws w (@logistic_mono R)).
have in01 (u : R) : 0 < logistic u < 1.
  by rewrite logistic_gt0 -subr_gt0 logisticN logistic_gt0.
split=> [|h]; last first.
  rewrite /loss big1 ?mulr0 // => i _; rewrite h.
  by case: (kl_positive (in01 (input X i ⋅ ws)) (in01 (input X i ⋅ ws))) => _ [_]; apply.
move/eqP; rewrite mulf_eq0 invr_eq0 pnatr_eq0 (gtn_eqF n0) /= psumr_eq0 => [/allP h i|i _].
  have /eqP := h i (mem_index_enum i).
  by case: (kl_positive (in01 (input X i ⋅ ws)) (in01 (input X i ⋅ w))) => _ [].
by case: (kl_positive (in01 (input X i ⋅ ws)) (in01 (input X i ⋅ w))).
Qed.
