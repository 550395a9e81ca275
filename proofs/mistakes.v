(** * The mistake bound

    Chapter 6. *)

From mathcomp Require Import all_ssreflect all_algebra ring.
From Distillation Require Import linear.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Import GRing.Theory Num.Theory Order.POrderTheory Order.TotalTheory.
Local Open Scope ring_scope.

(** The first [i] of a sequence of inputs, one a row. *)
Definition first_inputs (R : realFieldType) d (x : nat -> 'cV[R]_d) (i : nat) : 'M[R]_(i, d) :=
  \matrix_(j < i, k < d) x j k 0.

(** Student and teacher decide differently at [x]. *)
Definition misjudged (R : realFieldType) d (w ws x : 'cV[R]_d) : bool :=
  (0 <= w ⋅ x) != (0 <= ws ⋅ x).

Section Mistakes.
Variables (R : realFieldType) (d : nat) (x : nat -> 'cV[R]_d) (ws : 'cV[R]_d).
Let X i := first_inputs x i.
Let what i := student (X i) ws.

Lemma input_first i (j : 'I_i) : input (X i) j = x j.
Proof. by apply/matrixP => k l; rewrite ord1 !mxE. Qed.

Lemma orthogonal_fewer i v : orthogonal (X i.+1) v -> orthogonal (X i) v.
Proof.
move=> o j; rewrite input_first.
by have := o (widen_ord (leqnSn i) j); rewrite input_first.
Qed.

Lemma orthogonal_last i v : orthogonal (X i.+1) v -> x i ⋅ v = 0.
Proof. by move/(_ ord_max); rewrite input_first. Qed.

(** What a new input gains. *)
Lemma gain i : (ws ⋅ x i - what i ⋅ x i) ^+ 2
  <= (‖what i.+1‖² - ‖what i‖²) * ‖x i‖².
Proof.
pose v := what i.+1 - what i; pose p := projector (X i) *m x i; pose u := x i - p.
have o1 := projector_orthogonal (X i.+1) ws; have o0 := projector_orthogonal (X i) ws.
rewrite -/(student _ _) -/(what _) in o1 o0.
have ov : orthogonal (X i) v.
  have -> : v = (ws - what i) - (ws - what i.+1) by rewrite /v opprB [RHS]addrC addrA subrK.
  by apply: orthogonalB o0 (orthogonal_fewer o1).
have sp : in_span (X i) p by apply: projector_in_span.
have swhat : in_span (X i) (what i) by apply: projector_in_span.
have ou : orthogonal (X i) u by apply: projector_orthogonal.
have nv : ‖what i.+1‖² - ‖what i‖² = ‖v‖².
  have -> : what i.+1 = what i + v by rewrite /v addrC subrK.
  by rewrite pythagoras ?(orthogonal_span swhat ov) // addrC addKr.
have nx : ‖u‖² <= ‖x i‖².
  have -> : ‖x i‖² = ‖p‖² + ‖u‖².
    by rewrite -(pythagoras (orthogonal_span sp ou)) /u addrC subrK.
  by rewrite ler_addr sqnorm_ge0.
have vu : v ⋅ u = ws ⋅ x i - what i ⋅ x i.
  have h1 : p ⋅ v = 0 by apply: orthogonal_span ov.
  have h2 : x i ⋅ (ws - what i.+1) = 0 by apply: orthogonal_last o1.
  rewrite /u dotBr [v ⋅ p]dotC h1 subr0 /v dotBl; congr (_ - _).
  by apply/esym/eqP; rewrite -subr_eq0 -dotBl dotC h2.
rewrite -vu nv; apply: le_trans (cauchy_schwarz _ _) _.
by rewrite ler_wpmul2l ?sqnorm_ge0.
Qed.

Lemma misjudged_gain i : misjudged (what i) ws (x i) ->
  (ws ⋅ x i) ^+ 2 <= (‖what i.+1‖² - ‖what i‖²) * ‖x i‖².
Proof.
move=> m; apply: le_trans (gain i); rewrite -subr_ge0.
set a := ws ⋅ x i in m *; set b := what i ⋅ x i in m *.
have -> : (a - b) ^+ 2 - a ^+ 2 = b ^+ 2 - 2%:R * (b * a) by ring.
have ba : b * a <= 0.
  move: m; rewrite /misjudged -/a -/b; have [b0|b0] := leP 0 b; have [a0|a0] := leP 0 a => //= _.
    by rewrite mulr_ge0_le0 // ltW.
  by rewrite mulr_le0_ge0 // ltW.
by rewrite addr_ge0 ?sqr_ge0 // -mulrN mulr_ge0 ?ler0n // oppr_ge0.
Qed.

End Mistakes.

(** Chapter 6, thm-mistakes, the first half: the squared cosines of the angles between the
    teacher and the inputs at which the closed-form student of the inputs so far decides
    otherwise than the teacher add to 1 at most, on any sequence of inputs. *)
Theorem mistake_bound (R : realFieldType) d (x : nat -> 'cV[R]_d) (ws : 'cV[R]_d) (n : nat) :
  ws != 0 -> (forall i, x i != 0) ->
  \sum_(i < n | misjudged (student (first_inputs x i) ws) ws (x i))
    (ws ⋅ x i) ^+ 2 / (‖ws‖² * ‖x i‖²) <= 1.
Proof.
move=> ws0 x0; have w0 : 0 < ‖ws‖² by rewrite sqnorm_gt0.
pose L i := ‖student (first_inputs x i) ws‖².
have mono i : L i <= L i.+1.
  have xi : 0 < ‖x i‖² by rewrite sqnorm_gt0.
  by rewrite -subr_ge0 -(pmulr_lge0 _ xi) (le_trans _ (gain x ws i)) // sqr_ge0.
have short i : L i <= ‖ws‖².
  have o := projector_orthogonal (first_inputs x i) ws.
  have s := projector_in_span (first_inputs x i) ws.
  rewrite -[in X in _ <= X](subrK (student (first_inputs x i) ws) ws) addrC pythagoras.
    by rewrite ler_addl sqnorm_ge0.
  exact: orthogonal_span s o.
suff H : \sum_(i < n | misjudged (student (first_inputs x i) ws) ws (x i))
    (ws ⋅ x i) ^+ 2 / (‖ws‖² * ‖x i‖²) <= L n / ‖ws‖².
  by apply: le_trans H _; rewrite ler_pdivr_mulr // mul1r.
elim: n => [|n IH]; first by rewrite big_ord0 divr_ge0 // sqnorm_ge0.
rewrite big_mkcond big_ord_recr -big_mkcond /=.
have -> : L n.+1 / ‖ws‖² = L n / ‖ws‖² + (L n.+1 - L n) / ‖ws‖².
  by rewrite -mulrDl addrC subrK.
apply: ler_add; first exact: IH.
case: ifP => [m|_]; last by rewrite divr_ge0 ?subr_ge0 // ltW.
have xn : 0 < ‖x n‖² by rewrite sqnorm_gt0.
rewrite ler_pdivr_mulr ?mulr_gt0 // mulrA divfK ?gt_eqF //.
exact: misjudged_gain.
Qed.
