(** * Vectors, spans and projections

    What all chapters build on. Vectors are columns, and an input is a row of [X], as in the book:
    [X : 'M[R]_(n, d)] holds [n] inputs of [d] coordinates each, and [X *m w] are the [n] logits
    of the student [w : 'cV[R]_d]. [R] is any ordered field: no limit is taken here. *)

From mathcomp Require Import all_ssreflect all_algebra ring.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Import GRing.Theory Num.Theory Order.POrderTheory.
Local Open Scope ring_scope.

(** ** Definitions *)

Section Definitions.
Variable R : realFieldType.

(** The inner product $u \cdot v$ and the squared norm $\|u\|^2$. *)
Definition dot d (u v : 'cV[R]_d) : R := \sum_(j < d) u j 0 * v j 0.
Definition sqnorm d (u : 'cV[R]_d) : R := dot u u.

(** The input $x_i$, as a column. *)
Definition input n d (X : 'M[R]_(n, d)) (i : 'I_n) : 'cV[R]_d := (row i X)^T.

(** $v \in S$: a combination of the inputs; $v \in S^\perp$: orthogonal to all of them. *)
Definition in_span n d (X : 'M[R]_(n, d)) (v : 'cV[R]_d) : Prop :=
  exists c : 'I_n -> R, v = \sum_(i < n) c i *: input X i.
Definition orthogonal n d (X : 'M[R]_(n, d)) (v : 'cV[R]_d) : Prop :=
  forall i, dot (input X i) v = 0.

(** The orthogonal projection $P$ onto $S$, and $P_\perp = I - P$. [row_base X] holds a basis of
    the span, one vector a row, whether or not the inputs are independent. *)
Definition projector n d (X : 'M[R]_(n, d)) : 'M[R]_d :=
  let B := row_base X in B^T *m invmx (B *m B^T) *m B.
Definition projector_perp n d (X : 'M[R]_(n, d)) : 'M[R]_d := 1%:M - projector X.

(** The closed-form student $\hat w = P w^\star$. *)
Definition student n d (X : 'M[R]_(n, d)) (ws : 'cV[R]_d) : 'cV[R]_d := projector X *m ws.

End Definitions.

Notation "u ⋅ v" := (dot u v) (at level 40, left associativity) : ring_scope.
Notation "‖ u ‖²" := (sqnorm u) (at level 0, u at level 99, format "‖ u ‖²") : ring_scope.

(** ** Inner products *)

Section InnerProducts.
Variables (R : realFieldType) (d : nat).
Implicit Types (u v w : 'cV[R]_d) (a : R).

Lemma dotE u v : u ⋅ v = (u^T *m v) 0 0.
Proof. by rewrite mxE; apply: eq_bigr => j _; rewrite mxE. Qed.

Lemma dot_mx u v : u^T *m v = (u ⋅ v)%:M.
Proof. by rewrite [LHS]mx11_scalar dotE. Qed.

Lemma dotC u v : u ⋅ v = v ⋅ u.
Proof. by apply: eq_bigr => j _; rewrite mulrC. Qed.

Lemma dotDr u v w : u ⋅ (v + w) = u ⋅ v + u ⋅ w.
Proof. by rewrite -big_split; apply: eq_bigr => j _; rewrite mxE mulrDr. Qed.

Lemma dotDl u v w : (v + w) ⋅ u = v ⋅ u + w ⋅ u.
Proof. by rewrite dotC dotDr !(dotC u). Qed.

Lemma dotZr a u v : u ⋅ (a *: v) = a * (u ⋅ v).
Proof. by rewrite mulr_sumr; apply: eq_bigr => j _; rewrite mxE mulrCA. Qed.

Lemma dotZl a u v : (a *: v) ⋅ u = a * (v ⋅ u).
Proof. by rewrite dotC dotZr dotC. Qed.

Lemma dotNr u v : u ⋅ (- v) = - (u ⋅ v).
Proof. by rewrite -scaleN1r dotZr mulN1r. Qed.

Lemma dotNl u v : (- v) ⋅ u = - (v ⋅ u).
Proof. by rewrite dotC dotNr dotC. Qed.

Lemma dotBr u v w : u ⋅ (v - w) = u ⋅ v - u ⋅ w.
Proof. by rewrite dotDr dotNr. Qed.

Lemma dotBl u v w : (v - w) ⋅ u = v ⋅ u - w ⋅ u.
Proof. by rewrite dotDl dotNl. Qed.

Lemma dot0r u : u ⋅ 0 = 0.
Proof. by rewrite -(scale0r 0) dotZr mul0r. Qed.

Lemma dot0l u : 0 ⋅ u = 0.
Proof. by rewrite dotC dot0r. Qed.

Lemma dot_sumr I (r : seq I) (Q : pred I) (F : I -> 'cV[R]_d) u :
  u ⋅ (\sum_(i <- r | Q i) F i) = \sum_(i <- r | Q i) u ⋅ F i.
Proof. by elim/big_rec2: _ => [|i y x _ <-]; rewrite ?dot0r ?dotDr. Qed.

Lemma sqnorm_ge0 u : 0 <= ‖u‖².
Proof. by apply: sumr_ge0 => j _; rewrite -expr2 sqr_ge0. Qed.

Lemma sqnorm_eq0 u : (‖u‖² == 0) = (u == 0).
Proof.
apply/eqP/eqP => [h|->]; last exact: dot0r.
apply/matrixP => j k; rewrite ord1 [RHS]mxE; apply/eqP; rewrite -sqrf_eq0 expr2; apply/eqP.
by apply: (psumr_eq0P _ h) => // i _; rewrite -expr2 sqr_ge0.
Qed.

Lemma sqnorm_gt0 u : (0 < ‖u‖²) = (u != 0).
Proof. by rewrite lt_def sqnorm_ge0 andbT sqnorm_eq0. Qed.

Lemma sqnorm0 : ‖(0 : 'cV[R]_d)‖² = 0.
Proof. exact: dot0r. Qed.

Lemma sqnormN u : ‖- u‖² = ‖u‖².
Proof. by rewrite /sqnorm dotNl dotNr opprK. Qed.

Lemma sqnormZ a u : ‖a *: u‖² = a ^+ 2 * ‖u‖².
Proof. by rewrite /sqnorm dotZl dotZr mulrA -expr2. Qed.

Lemma sqnormD u v : ‖u + v‖² = ‖u‖² + 2%:R * (u ⋅ v) + ‖v‖².
Proof. by rewrite /sqnorm dotDl !dotDr (dotC v u) addrA mulr_natl mulr2n !addrA. Qed.

Lemma sqnormB u v : ‖u - v‖² = ‖u‖² - 2%:R * (u ⋅ v) + ‖v‖².
Proof. by rewrite sqnormD sqnormN dotNr mulrN. Qed.

(** Pythagoras. *)
Lemma pythagoras u v : u ⋅ v = 0 -> ‖u + v‖² = ‖u‖² + ‖v‖².
Proof. by move=> h; rewrite sqnormD h mulr0 addr0. Qed.

(** Cauchy and Schwarz. *)
Lemma cauchy_schwarz u v : (u ⋅ v) ^+ 2 <= ‖u‖² * ‖v‖².
Proof.
have [->|v0] := eqVneq v 0; first by rewrite dot0r sqnorm0 expr0n mulr0.
have vp : 0 < ‖v‖² by rewrite sqnorm_gt0.
have := sqnorm_ge0 (‖v‖² *: u - (u ⋅ v) *: v).
rewrite sqnormB !sqnormZ dotZl dotZr -/(sqnorm v).
have -> : ‖v‖² ^+ 2 * ‖u‖² - 2%:R * (‖v‖² * ((u ⋅ v) * (u ⋅ v))) + (u ⋅ v) ^+ 2 * ‖v‖²
   = ‖v‖² * (‖u‖² * ‖v‖² - (u ⋅ v) ^+ 2) by ring.
by rewrite pmulr_rge0 // subr_ge0.
Qed.

End InnerProducts.

Lemma dot_mulmx (R : realFieldType) m d (A : 'M[R]_(m, d)) u v : (A *m u) ⋅ v = u ⋅ (A^T *m v).
Proof. by rewrite !dotE trmx_mul -mulmxA. Qed.

(** ** Spans and projections *)

Section Spans.
Variables (R : realFieldType) (n d : nat) (X : 'M[R]_(n, d)).
Implicit Types (u v w : 'cV[R]_d).

Lemma logitE w i : (X *m w) i 0 = input X i ⋅ w.
Proof. by rewrite mxE; apply: eq_bigr => j _; rewrite !mxE. Qed.

Lemma orthogonalE v : orthogonal X v <-> X *m v = 0.
Proof.
split=> [h|h i]; last by rewrite -logitE h mxE.
by apply/matrixP => i k; rewrite ord1 logitE h mxE.
Qed.

Lemma combinationE (c : 'cV[R]_n) : X^T *m c = \sum_i c i 0 *: input X i.
Proof.
apply/matrixP => j k; rewrite ord1 mxE summxE; apply: eq_bigr => i _.
by rewrite !mxE mulrC.
Qed.

Lemma in_spanE v : in_span X v <-> exists c : 'cV[R]_n, v = X^T *m c.
Proof.
split=> [[c ->]|[c ->]]; last by exists (c ^~ 0); rewrite combinationE.
by exists (\col_i c i); rewrite combinationE; apply: eq_bigr => i _; rewrite mxE.
Qed.

Lemma in_span_submx v : in_span X v <-> (v^T <= X)%MS.
Proof.
rewrite in_spanE; split=> [[c ->]|/submxP[D h]].
  by rewrite trmx_mul trmxK submxMl.
by exists D^T; rewrite -trmx_mul -h trmxK.
Qed.

Lemma orthogonal_span u v : in_span X u -> orthogonal X v -> u ⋅ v = 0.
Proof. by rewrite in_spanE orthogonalE => -[c ->] h; rewrite dot_mulmx trmxK h dot0r. Qed.

Lemma in_spanD u v : in_span X u -> in_span X v -> in_span X (u + v).
Proof. by rewrite !in_span_submx linearD; apply: addmx_sub. Qed.

Lemma in_spanZ a v : in_span X v -> in_span X (a *: v).
Proof. by rewrite !in_span_submx linearZ; apply: scalemx_sub. Qed.

Lemma in_spanB u v : in_span X u -> in_span X v -> in_span X (u - v).
Proof. by move=> hu hv; rewrite -scaleN1r; apply/in_spanD/in_spanZ. Qed.

Lemma orthogonalB u v : orthogonal X u -> orthogonal X v -> orthogonal X (u - v).
Proof. by rewrite !orthogonalE mulmxBr => -> ->; rewrite subr0. Qed.

Lemma span_and_orthogonal v : in_span X v -> orthogonal X v -> v = 0.
Proof. by move=> s o; apply/eqP; rewrite -sqnorm_eq0; apply/eqP/orthogonal_span. Qed.

(** A vector has one part in the span and one orthogonal to it, and no other. *)
Lemma split_unique v p q :
  in_span X p -> orthogonal X (v - p) -> in_span X q -> orthogonal X (v - q) -> p = q.
Proof.
move=> sp op sq oq; apply/eqP; rewrite -subr_eq0; apply/eqP.
apply: span_and_orthogonal; first exact: in_spanB.
have -> : p - q = (v - q) - (v - p) by rewrite opprB [RHS]addrC addrA subrK.
exact: orthogonalB.
Qed.

End Spans.

(** The Gram matrix of independent rows can be inverted. *)
Lemma gram_unit (R : realFieldType) m d (B : 'M[R]_(m, d)) : \rank B = m -> B *m B^T \in unitmx.
Proof.
move=> r; rewrite -row_free_unit -kermx_eq0; apply/rowV0P => c /sub_kermxP h.
have hB : c *m B = 0.
  apply: trmx_inj; rewrite trmx0; apply/eqP; rewrite -sqnorm_eq0 /sqnorm dotE trmxK trmx_mul.
  by rewrite !mulmxA -(mulmxA c) h mul0mx mxE.
apply/eqP; rewrite -(mulmx_free_eq0 c (_ : row_free B)) ?hB //.
by rewrite /row_free r.
Qed.

Section Projector.
Variables (R : realFieldType) (n d : nat) (X : 'M[R]_(n, d)).
Implicit Types (u v w : 'cV[R]_d).

Lemma projector_basis : exists B : 'M[R]_(\rank X, d),
  [/\ (B :=: X)%MS, B *m B^T \in unitmx & projector X = B^T *m invmx (B *m B^T) *m B].
Proof.
exists (row_base X); split=> //; first exact: eq_row_base.
by apply: gram_unit; rewrite eq_row_base.
Qed.

Lemma projector_in_span v : in_span X (projector X *m v).
Proof.
have [B [eqB _ ->]] := projector_basis.
rewrite in_span_submx !trmx_mul trmxK !mulmxA.
by apply: submx_trans (submxMl _ _) _; rewrite eqB.
Qed.

Lemma projector_orthogonal v : orthogonal X (v - projector X *m v).
Proof.
have [B [eqB Bunit ->]] := projector_basis; rewrite orthogonalE.
have hB : B *m (v - B^T *m invmx (B *m B^T) *m B *m v) = 0.
  by rewrite mulmxBr !mulmxA mulmxV // mul1mx subrr.
have /submxP[D hX] : (X <= B)%MS by rewrite eqB.
by rewrite {1}hX -(mulmxA D) hB mulmx0.
Qed.

(** What identifies the projection of a vector. *)
Lemma projector_unique v p : in_span X p -> orthogonal X (v - p) -> p = projector X *m v.
Proof.
by move=> s o; apply: split_unique s o _ _; [apply: projector_in_span|apply: projector_orthogonal].
Qed.

Lemma projector_id v : in_span X v -> projector X *m v = v.
Proof.
move=> s; apply/esym/projector_unique => //.
by rewrite subrr orthogonalE mulmx0.
Qed.

Lemma projector_0 v : orthogonal X v -> projector X *m v = 0.
Proof.
move=> o; apply/esym/projector_unique; last by rewrite subr0.
by rewrite in_span_submx trmx0 sub0mx.
Qed.

Lemma mulmx_projector_perp : X *m projector_perp X = 0.
Proof.
have [B [eqB Bunit eP]] := projector_basis.
have /submxP[D hX] : (X <= B)%MS by rewrite eqB.
have h : X *m B^T = D *m (B *m B^T) by rewrite mulmxA -hX.
by rewrite mulmxBr mulmx1 eP !mulmxA h mulmxK // -hX subrr.
Qed.

Lemma projector_sym : (projector X)^T = projector X.
Proof.
have [B [_ _ ->]] := projector_basis.
by rewrite !trmx_mul trmxK trmx_inv trmx_mul trmxK mulmxA.
Qed.

End Projector.
